package command

import (
	"context"
	"log/slog"

	sdklog "go.temporal.io/sdk/log"
)

// SDKLogger is the logger for a Temporal client, and what is made with it.
func SDKLogger(log *slog.Logger) sdklog.Logger {
	return sdklog.NewStructuredLogger(renamed(quieter(log.With("part", "sdk"))))
}

// quieter raises the level of a logger by one: the SDK tells of every worker that starts and every retry at the level at which
// the other parts tell of what a person should look at.
func quieter(logger *slog.Logger) *slog.Logger {
	return slog.New(quietHandler{logger.Handler()})
}

// quietHandler is a slog.Handler before another one.
type quietHandler struct{ slog.Handler }

// step is the distance between two of slog's levels.
const step = slog.LevelInfo - slog.LevelDebug

// Enabled asks for one level less.
func (h quietHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.Handler.Enabled(ctx, level-step)
}

// Handle hands the record on with one level less.
func (h quietHandler) Handle(ctx context.Context, r slog.Record) error {
	r.Level -= step
	return h.Handler.Handle(ctx, r) //nolint:wrapcheck // as if it had been called
}

// WithAttrs keeps the level lowered.
func (h quietHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return quietHandler{h.Handler.WithAttrs(attrs)}
}

// WithGroup keeps the level lowered.
func (h quietHandler) WithGroup(name string) slog.Handler {
	return quietHandler{h.Handler.WithGroup(name)}
}
