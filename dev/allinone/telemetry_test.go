package allinone_test

import (
	"bytes"
	"encoding/base64"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/config"
)

func TestItIsMeasuredAndEncryptsOnRequest(t *testing.T) {
	c := settings("")
	c.Temporal.EncryptionKeys = config.NewSecret("first:" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{1}, 32)))
	c.Codec.Token = config.NewSecret("a-token-of-more-than-thirty-two-characters")
	c.Codec.Address = "127.0.0.1:0"
	p, err := start(t, c)
	require.NoError(t, err)
	require.Contains(t, get(t, p.MetricsURL()), "\nholdfast_outbox_age_seconds 0")
	signIn := regexp.MustCompile(`sign in at (http://127\.0\.0\.1:\d+/)`).FindStringSubmatch(strings.Join(p.Notes(), "\n"))
	require.NotNil(t, signIn)
	require.Contains(t, get(t, signIn[1]), "<form")
}
