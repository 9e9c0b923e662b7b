package starter

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"errors"
	"strings"

	"github.com/holdfast-run/holdfast"
)

// minKey is the least length of the key that signs tokens, in bytes.
const minKey = 32

// secretLen is the length of a session's secret, in bytes: far too much to guess.
const secretLen = 18

// errBadToken says nothing of what is wrong: who forges tokens needs no help.
var errBadToken = errors.New("the token is not one of this app")

// tokens makes and reads the sessions' tokens. A token is a random secret and the starter's signature of it; the
// session's public name is a one-way hash of the secret, so it can be shown while the token stays with the client.
type tokens struct {
	key []byte
}

// mint makes a token for a new session of the app.
func (t tokens) mint(app string) string {
	secret := make([]byte, secretLen)
	rand.Read(secret)
	text := base64.RawURLEncoding.EncodeToString(secret)
	return text + "." + t.sign(app, text)
}

// session returns the public name of the session that the token opens.
func (t tokens) session(app, token string) (holdfast.SessionID, error) {
	secret, signature, ok := strings.Cut(token, ".")
	if !ok || !hmac.Equal([]byte(signature), []byte(t.sign(app, secret))) {
		return "", errBadToken
	}
	sum := sha256.Sum256([]byte("holdfast session\x00" + app + "\x00" + secret))
	const bytes = 15 // 120 bits, 24 characters
	return holdfast.SessionID(app + "-" + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:bytes]))), nil
}

func (t tokens) sign(app, secret string) string {
	mac := hmac.New(sha256.New, t.key)
	mac.Write([]byte("holdfast token\x00" + app + "\x00" + secret))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
