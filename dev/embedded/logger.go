package embedded

import (
	"log/slog"
	"sync/atomic"

	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/log/tag"
)

// logger hands the server's warnings and errors to slog. What it has to say below that is about its own inside.
type logger struct {
	out    *slog.Logger
	silent *atomic.Bool // shared by all loggers of one server
}

func newLogger(out *slog.Logger) *logger {
	if out == nil {
		out = slog.New(slog.DiscardHandler)
	}
	return &logger{out: out, silent: &atomic.Bool{}}
}

var (
	_ log.Logger     = (*logger)(nil)
	_ log.WithLogger = (*logger)(nil)
)

func (l *logger) quiet() { l.silent.Store(true) }

func (l *logger) Debug(string, ...tag.Tag)           {}
func (l *logger) Info(string, ...tag.Tag)            {}
func (l *logger) Warn(msg string, tags ...tag.Tag)   { l.write(slog.LevelDebug, msg, tags) }
func (l *logger) Error(msg string, tags ...tag.Tag)  { l.write(slog.LevelWarn, msg, tags) }
func (l *logger) DPanic(msg string, tags ...tag.Tag) { l.write(slog.LevelError, msg, tags) }
func (l *logger) Panic(msg string, tags ...tag.Tag)  { l.write(slog.LevelError, msg, tags); panic(msg) }

// Fatal reports and lets the caller go on: the server calls it where it cannot start, and says so by an error as well. A part
// of a process does not end the whole.
func (l *logger) Fatal(msg string, tags ...tag.Tag) { l.write(slog.LevelError, msg, tags) }

// With returns a logger that adds the tags.
func (l *logger) With(tags ...tag.Tag) log.Logger {
	return &logger{out: l.out.With(attributes(tags)...), silent: l.silent}
}

func (l *logger) write(level slog.Level, msg string, tags []tag.Tag) {
	if !l.silent.Load() {
		l.out.Log(nil, level, msg, attributes(tags)...) //nolint:staticcheck // the server has no context for it
	}
}

func attributes(tags []tag.Tag) []any {
	all := make([]any, 0, 2*len(tags))
	for _, t := range tags {
		all = append(all, t.Key(), t.Value())
	}
	return all
}
