package codec_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/holdfast-run/holdfast/codec"
)

// newKey returns a key as the configuration holds it.
func newKey() string {
	key := make([]byte, 32)
	rand.Read(key)
	return base64.StdEncoding.EncodeToString(key)
}

func parse(t testing.TB, text string) codec.Keys {
	t.Helper()
	keys, err := codec.ParseKeys(text)
	require.NoError(t, err)
	return keys
}

func TestParseKeys(t *testing.T) {
	t.Parallel()
	keys := parse(t, " 2026-08:"+newKey()+",\n old_1.x:"+newKey()+"\n")
	require.Equal(t, []string{"2026-08", "old_1.x"}, keys.IDs())
	require.False(t, keys.IsEmpty())
	keys.IDs()[0] = "other"
	require.Equal(t, []string{"2026-08", "old_1.x"}, keys.IDs())

	require.True(t, keys.Encrypts())
	require.True(t, codec.Keys{}.IsEmpty())
	require.False(t, codec.Keys{}.Encrypts())
	require.Empty(t, codec.Keys{}.IDs())
}

func TestParseKeysRefuses(t *testing.T) {
	t.Parallel()
	const (
		entry  = "expected ID:BASE64"
		badID  = "expected 1 to 20 letters, digits, dots, hyphens and underscores"
		badKey = "expected 32 bytes in standard base64 (openssl rand -base64 32)"
	)
	good, raw := newKey(), bytes.Repeat([]byte{0xfb, 0xff, 'k'}, 11)[:32]
	short := base64.StdEncoding.EncodeToString(raw[:16])
	for name, c := range map[string]struct {
		text, secret string
		says         []string
	}{
		"nothing":        {"", "-", []string{"1 of 1", entry}},
		"a last comma":   {"a:" + good + ",", good, []string{"2 of 2", entry}},
		"no id":          {good, good, []string{"1 of 1", entry}},
		"empty id":       {":" + good, good, []string{"1 of 1", badID}},
		"bad id":         {"ä b:" + good, good, []string{"1 of 1", badID}},
		"long id":        {strings.Repeat("a", 21) + ":" + good, good, []string{badID}},
		"no key":         {"a:", "-", []string{`"a"`, "0 bytes", badKey}},
		"plain alone":    {"plain", "-", []string{"1 of 1", entry}},
		"plain at last":  {"a:" + good + ",plain", good, []string{"2 of 2", entry}},
		"plain, nothing": {"plain,", "-", []string{"2 of 2", entry}},
		"short key":      {"a:" + good + ",b:" + short, short, []string{"2 of 2", `"b"`, "16 bytes", badKey}},
		"long key":       {"a:" + base64.StdEncoding.EncodeToString(append(raw, 1)), "+/9r", []string{`"a"`, "33 bytes", badKey}},
		"hexadecimal":    {"a:" + hex.EncodeToString(raw), hex.EncodeToString(raw), []string{`"a"`, "48 bytes", badKey}},
		"URL's base64":   {"a:" + base64.URLEncoding.EncodeToString(raw), "-_9r", []string{`"a"`, "not in standard base64", badKey}},
		"no padding":     {"a:" + base64.RawStdEncoding.EncodeToString(raw), "+/9r", []string{`"a"`, "not in standard base64", badKey}},
		"stray bits":     {"a:" + strings.Repeat("A", 42) + "B=", "AAAB=", []string{`"a"`, "not in standard base64", badKey}},
		"twice":          {"a:" + good + ",a:" + newKey(), good, []string{"2 of 2", `"a"`, "each id once"}},
		"turned round":   {good + ":a", good, []string{badID}},
		"turned, hex":    {hex.EncodeToString(raw) + ":a", hex.EncodeToString(raw), []string{badID}},
		"turned, no pad": {strings.TrimRight(short, "=") + ":a", strings.TrimRight(short, "="), []string{badID}},
		"two colons":     {"a:b:" + good, good, []string{`"a"`, badKey}},
		"a space inside": {"a: " + good, good, []string{`"a"`, badKey}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			keys, err := codec.ParseKeys(c.text)
			require.True(t, keys.IsEmpty())
			for _, s := range c.says {
				require.ErrorContains(t, err, s)
			}
			require.NotContains(t, strings.ReplaceAll(err.Error(), "openssl rand -base64 32", ""), " "+c.secret)
			if len(c.secret) > 1 {
				require.NotContains(t, err.Error(), c.secret)
			}
		})
	}
}

func TestKeysDoNotShow(t *testing.T) {
	t.Parallel()
	raw := []byte("correct horse battery staple win")
	text := base64.StdEncoding.EncodeToString(raw)
	keys := parse(t, "new:"+text+",old:"+newKey())
	type holder struct{ Keys codec.Keys }
	hidden := struct{ inner holder }{holder{keys}} // fmt asks no method of an unexported field

	var log bytes.Buffer
	for _, logger := range []*slog.Logger{slog.New(slog.NewTextHandler(&log, nil)), slog.New(slog.NewJSONHandler(&log, nil))} {
		logger.Info("start", "keys", keys, "holder", holder{keys}, "pointer", &keys, "codec", codec.New(keys))
	}
	asJSON, err := json.Marshal(holder{keys})
	require.NoError(t, err)
	require.JSONEq(t, `{"Keys": "[keys: new, old]"}`, string(asJSON))
	asYAML, err := yaml.Marshal(holder{keys})
	require.NoError(t, err)
	data, failures := codec.Converters(keys)
	server, err := codec.NewHandler(codec.New(keys), strings.ReplaceAll(string(raw), " ", "-")+"-x", codec.HandlerOptions{})
	require.NoError(t, err)

	shown := []string{log.String(), string(asJSON), string(asYAML)}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		require.Equal(t, "[keys: new, old]", fmt.Sprintf(format, keys))
		for _, value := range []any{holder{keys}, &holder{keys}, hidden, codec.New(keys), data, failures, server} {
			shown = append(shown, fmt.Sprintf(format, value))
		}
	}
	for _, s := range shown {
		for _, secret := range []string{string(raw), "battery", text, hex.EncodeToString(raw), fmt.Sprintf("%d", raw), strings.Trim(fmt.Sprintf("%#v", raw), "[]byte{}")} {
			require.NotContains(t, s, secret)
		}
	}
	require.Equal(t, "[keys: none]", codec.Keys{}.String())
}
