package starter

import (
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// frame is one as a client sends it; first has the FIN bit and the code.
func frame(first byte, text string) []byte {
	return append(frameHeader(first, uint64(len(text))), text...)
}

func frameHeader(first byte, length uint64) []byte {
	out := []byte{first}
	switch {
	case length < 126:
		out = append(out, 0x80|byte(length))
	case length < 1<<16:
		out = binary.BigEndian.AppendUint16(append(out, 0x80|126), uint16(length))
	default:
		out = binary.BigEndian.AppendUint64(append(out, 0x80|127), length)
	}
	return append(out, 0, 0, 0, 0)
}

// intakeOf is an intake whose peer sends the bytes.
func intakeOf(t *testing.T, sent ...[]byte) *intake {
	t.Helper()
	here, there := net.Pipe()
	in := newIntake(func() {})
	in.Conn = here
	t.Cleanup(func() { require.NoError(t, in.Close()) })
	go func() {
		for _, part := range sent {
			if _, err := there.Write(part); err != nil {
				return
			}
		}
	}()
	return in
}

const text, part, last, ping, bye = 0x81, 0x01, 0x80, 0x89, 0x88

func TestIntake_RefusesWhatIsTooLongByItsHeader(t *testing.T) {
	t.Parallel()
	for name, sent := range map[string][][]byte{
		"a long frame":       {frameHeader(text, maxHello+1)},
		"a length of 2^63":   {frameHeader(text, 1<<63)},
		"a length of 2^64-1": {frameHeader(last, 1<<64-1)},
		"parts":              {frame(part, strings.Repeat("x", maxHello)), frameHeader(0, 1)},
		"parts of 2^63":      {frame(part, "x"), frameHeader(0, 1<<63)},
		"a long ping":        {frameHeader(ping, maxHello+1)},
	} {
		in := intakeOf(t, sent...)
		_, err := io.Copy(io.Discard, in)
		require.ErrorIs(t, err, errTooLong, name)
	}
}

func TestIntake_GivesOutOnlyTheFirstMessageUntilItIsAskedForMore(t *testing.T) {
	t.Parallel()
	hello, event := frame(text, "hello"), frame(text, strings.Repeat("x", maxHello+1))
	for cut := range 20 { // wherever the network cuts
		all := append(append([]byte{}, hello...), event...)
		in := intakeOf(t, all[:cut], all[cut:])
		first := make([]byte, len(hello))
		_, err := io.ReadFull(in, first)
		require.NoError(t, err)
		require.Equal(t, hello, first)
		in.limit.Store(maxFrame)
		rest := make([]byte, len(event))
		_, err = io.ReadFull(in, rest)
		require.NoError(t, err)
		require.Equal(t, event, rest)
	}
}

func TestIntake_PacesWhateverIsSent(t *testing.T) {
	t.Parallel()
	const seconds = 10
	for name, c := range map[string]struct {
		frame []byte
		times int
	}{
		"pings":       {frame(ping, ""), frameBurst + seconds*frameRate},
		"empty parts": {frame(part, ""), frameBurst + seconds*frameRate},
		"messages":    {frame(text, "{}"), frameBurst + seconds*frameRate},
		"bytes":       {frame(text, strings.Repeat("x", 1<<15)), (byteBurst + seconds*byteRate) >> 15},
	} {
		synctest.Test(t, func(t *testing.T) {
			var sent []byte
			for range c.times {
				sent = append(sent, c.frame...)
			}
			pauses := 0
			in := intakeOf(t, sent, c.frame)
			in.onPause = func() { pauses++ }
			began := time.Now()
			_, err := io.ReadFull(in, make([]byte, len(sent)))
			require.NoError(t, err)
			_, err = in.Read(make([]byte, 1)) // what was read is paid for before more is
			require.NoError(t, err)
			require.InDelta(t, seconds, time.Since(began).Seconds(), 1, name)
			require.Positive(t, pauses, name)
		})
	}
}

func TestIntake_ThrowsAwayWhatComesUntilThePeerSaysGoodbye(t *testing.T) {
	t.Parallel()
	long := frame(text, strings.Repeat("x", maxHello+1))
	in := intakeOf(t, long, frame(ping, "x"), frame(bye, ""), frame(text, "never read"))
	_, err := io.Copy(io.Discard, in)
	require.ErrorIs(t, err, errTooLong)
	in.drain()
	n, err := io.Copy(io.Discard, in)
	require.NoError(t, err)
	require.Zero(t, n)

	endless := intakeOf(t, frameHeader(text, 1<<40), make([]byte, 2*maxDrain))
	endless.drain()
	_, err = io.Copy(io.Discard, endless)
	require.NoError(t, err, "it ends")
}

func TestIntake_EndsItsPauseWithTheConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		in := intakeOf(t, frame(text, "x"))
		in.due = time.Now().Add(time.Hour)
		ended := make(chan error)
		go func() { _, err := in.Read(make([]byte, 10)); ended <- err }()
		synctest.Wait()
		require.True(t, in.alive(time.Now()), "who has to wait is not gone")
		require.NoError(t, in.Close())
		require.ErrorIs(t, <-ended, net.ErrClosed)
		require.False(t, in.alive(time.Now()))
	})
}
