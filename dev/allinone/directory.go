package allinone

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/holdfast-run/holdfast/config"
)

// directory says where things are kept; everything is empty for a program that keeps all in memory.
type directory struct {
	temporal string // the embedded server's database
	state    string // a state.url
	key      string // the file with the key that signs session tokens
}

// openDirectory makes the directory, for the owner's eyes alone: it will hold the states and a key.
func openDirectory(c config.Config) (directory, error) {
	if c.Dev.Ephemeral {
		return directory{state: "memory:"}, nil
	}
	dir := c.Dev.Directory
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return directory{}, fmt.Errorf("dev.directory: %w", err)
	}
	d := directory{
		temporal: filepath.Join(dir, "temporal.db"),
		state:    "sqlite:" + filepath.Join(dir, "state.db"),
		key:      filepath.Join(dir, "session.key"),
	}
	if c.State.URL != config.Default().State.URL {
		d.state = c.State.URL
	}
	return d, nil
}

// sessionKey is the configured key, or the one that the directory keeps so that pages keep their sessions over a restart.
func (d directory) sessionKey(configured config.Secret) ([]byte, error) {
	switch {
	case !configured.IsEmpty():
		return []byte(configured.Reveal()), nil
	case d.key == "":
		return []byte(newKey()), nil
	}
	key, err := os.ReadFile(d.key)
	if err == nil {
		return key, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the session key: %w", err)
	}
	key = []byte(newKey())
	if err := os.WriteFile(d.key, key, 0o600); err != nil {
		return nil, fmt.Errorf("keep the session key: %w", err)
	}
	return key, nil
}

func newKey() string {
	key := make([]byte, 32)
	rand.Read(key)
	return base64.StdEncoding.EncodeToString(key)
}
