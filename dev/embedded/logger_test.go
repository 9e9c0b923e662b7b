package embedded

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/server/common/log/tag"
)

func TestAPortThatIsLostOnTheLastMomentIsAnErrorAndNotAnExit(t *testing.T) {
	t.Parallel()
	p, err := reserve(Options{})
	require.NoError(t, err)
	defer p.release()
	address := p.frontend.address()
	p.frontend.release()
	thief, err := net.Listen("tcp", address)
	require.NoError(t, err)
	defer thief.Close()

	ctx, fail := context.WithCancelCause(t.Context())
	o := Options{}.withDefaults()
	store, err := openStore(ctx, o)
	require.NoError(t, err)
	_, err = newServer(o, p, store, newLogger(nil, fail))
	require.ErrorContains(t, err, address)
	require.ErrorContains(t, context.Cause(ctx), address, "a service that fails in a goroutine of its own ends the start too")
}

func TestTheLoggerSaysErrorsThenWarningsThenNothing(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	l := newLogger(slog.New(slog.NewTextHandler(&out, nil)), func(error) {})
	child := l.With(tag.NewStringTag("service", "history"))
	said := func() string {
		out.Reset()
		child.Info("info")
		child.Warn("warning")
		child.Error("error", tag.NewInt("number", 1))
		child.Fatal("fatal")
		return out.String()
	}
	starting := said()
	require.NotContains(t, starting, "warning")
	require.Contains(t, starting, "level=ERROR msg=error service=history number=1")
	require.Contains(t, starting, "msg=fatal")

	l.serving()
	serving := said()
	require.NotContains(t, serving, "info")
	require.Contains(t, serving, "level=WARN msg=warning service=history")

	l.silence()
	require.Empty(t, said())
}
