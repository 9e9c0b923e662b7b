package command

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestQuieterLowersByOneLevel(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	logger := quieter(slog.New(slog.NewTextHandler(&out, nil))).With("part", "sdk")
	logger.Info("started worker")
	require.Empty(t, out.String())
	logger.Warn("an activity failed")
	require.Contains(t, out.String(), `level=INFO msg="an activity failed" part=sdk`)
}
