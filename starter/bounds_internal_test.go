package starter

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"unicode/utf8"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/internal/wire"
)

func TestTruncate_KeepsWholeRunesWithinItsLimit(t *testing.T) {
	t.Parallel()
	require.Equal(t, "short", wire.Bound("short", maxReason))
	for shift := range 4 {
		text := wire.Bound(strings.Repeat("x", shift)+strings.Repeat("😀", 1000), maxReason)
		require.True(t, utf8.ValidString(text), text)
		require.LessOrEqual(t, len(text), maxReason)
		require.Greater(t, len(text), maxReason-8)
		require.True(t, strings.HasSuffix(text, "…"))
	}
	require.LessOrEqual(t, len(quoted(strings.Repeat("\x01", 1<<20))), maxEcho)
}

// What a refusal costs is counted in allocations: cutting rune by rune took one for each rune.
func TestRefusal_CostsLittleWhateverIsSent(t *testing.T) { //nolint:paralleltest // it counts the allocations of the process
	const enough = 100 // a buffer that doubles until it holds the frame among them
	big := strings.Repeat("é", 1<<19)
	require.LessOrEqual(t, testing.AllocsPerRun(1, func() { wire.Bound(big, maxReason) }), 1.0)
	require.LessOrEqual(t, testing.AllocsPerRun(1, func() { quoted(big) }), 4.0)
	for name, frame := range hugeMessages(big) {
		raw := []byte(frame)
		require.LessOrEqual(t, testing.AllocsPerRun(1, func() {
			_, err := parseHello(websocket.MessageText, raw)
			if err == nil {
				_, err = parseEvent(websocket.MessageText, raw)
			}
			wire.Bound(err.Error(), maxReason)
		}), float64(enough), name)
	}
}

// hugeMessages are messages that are refused, with the value in each place that an answer repeats.
func hugeMessages(value string) map[string]string {
	raw, _ := json.Marshal(value) //nolint:errchkjson // a string
	text := string(raw)
	return map[string]string{
		"unknown type": `{"type":` + text + `}`,
		"bad client":   `{"type":"hello","new":true,"client":` + text + `}`,
		"wrong type":   `{"type":"hello","new":` + text + `}`,
		"wrong number": `{"type":"hello","new":true,"client":"client00","epoch":"x","after":` + strings.Repeat("9", len(value)) + `}`,
		"not JSON":     text[:len(text)-1],
		"two values":   text + text,
	}
}

func BenchmarkFirstFrame(b *testing.B) {
	for name, frame := range hugeMessages(strings.Repeat("é", 1<<16)) {
		raw := []byte(frame)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(raw)))
			for b.Loop() {
				_, err := parseHello(websocket.MessageText, raw)
				wire.Bound(err.Error(), maxReason)
			}
		})
	}
}

func TestGate_LetsSmallFramesThroughAndFreesItsSlotsInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := gate{slots: make(chan struct{}, 1)}
		first, err := g.enter(t.Context(), bigFrame)
		require.NoError(t, err)
		small, err := g.enter(t.Context(), bigFrame-1)
		require.NoError(t, err)
		small()
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = g.enter(gone, bigFrame)
		require.ErrorIs(t, err, context.Canceled)

		second, err := g.enter(t.Context(), bigFrame) // first takes longer than gateTime
		require.NoError(t, err)
		first()
		require.Len(t, g.slots, 1, "it frees its own slot, once")
		second()
		second()
		require.Empty(t, g.slots)
	})
}
