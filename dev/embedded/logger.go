package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync/atomic"

	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/log/tag"
)

// logger hands what the server has to say to slog: errors from the start, warnings while it serves, nothing while it stops.
// Below that the server talks about its own inside, and while it starts it warns of what is as it should be here.
type logger struct {
	out *slog.Logger
	*logState
}

// logState is shared by all loggers of one server.
type logState struct {
	level    slog.LevelVar
	building atomic.Bool
	fail     context.CancelCauseFunc // ends the start; nothing happens once that has ended
}

var (
	_ log.Logger     = (*logger)(nil)
	_ log.WithLogger = (*logger)(nil)
)

func newLogger(out *slog.Logger, fail context.CancelCauseFunc) *logger {
	if out == nil {
		out = slog.New(slog.DiscardHandler)
	}
	l := &logger{out: out, logState: &logState{fail: fail}}
	l.level.Set(slog.LevelError)
	return l
}

func (l *logger) serving() { l.level.Set(slog.LevelWarn) }
func (l *logger) silence() { l.level.Set(math.MaxInt) }

// fatalError is what the server would have ended the process with.
type fatalError struct{ error }

// build makes a fatal error that is reported until the returned function runs into an error of the calling function. The
// server's constructors go on after such a report as if it did not return, so they are left by a panic.
func (l *logger) build(err *error) (done func()) { //nolint:gocritic // it sets the named result of its caller
	l.building.Store(true)
	return func() {
		l.building.Store(false)
		cause := recover() //nolint:revive // the returned function is what is deferred
		if fatal, ok := cause.(fatalError); ok {
			*err = fatal.error
		} else if cause != nil {
			panic(cause)
		}
	}
}

// Fatal reports, and makes Start fail where it has not returned yet. It does not end the process, of which the server is only a
// part: later it is called for a listener that broke, and then the clients notice.
func (l *logger) Fatal(msg string, tags ...tag.Tag) {
	l.write(slog.LevelError, msg, tags)
	err := errors.New(msg)
	for _, t := range tags {
		err = fmt.Errorf("%w: %s %v", err, t.Key(), t.Value())
	}
	l.fail(err)
	if l.building.Load() {
		panic(fatalError{err})
	}
}

// Panic reports and panics, as its callers count on not going on.
func (l *logger) Panic(msg string, tags ...tag.Tag) {
	l.write(slog.LevelError, msg, tags)
	panic(msg)
}

// Debug says nothing.
func (l *logger) Debug(string, ...tag.Tag) {}

// Info says nothing.
func (l *logger) Info(string, ...tag.Tag) {}

// Warn writes a warning.
func (l *logger) Warn(msg string, tags ...tag.Tag) { l.write(slog.LevelWarn, msg, tags) }

// Error writes an error.
func (l *logger) Error(msg string, tags ...tag.Tag) { l.write(slog.LevelError, msg, tags) }

// DPanic writes an error; only the server's own developers want a panic.
func (l *logger) DPanic(msg string, tags ...tag.Tag) { l.write(slog.LevelError, msg, tags) }

// With returns a logger that adds the tags.
func (l *logger) With(tags ...tag.Tag) log.Logger {
	return &logger{out: slog.New(l.out.Handler().WithAttrs(attributes(tags))), logState: l.logState}
}

func (l *logger) write(level slog.Level, msg string, tags []tag.Tag) {
	if level >= l.level.Level() {
		l.out.LogAttrs(context.Background(), level, msg, attributes(tags)...)
	}
}

func attributes(tags []tag.Tag) []slog.Attr {
	attrs := make([]slog.Attr, 0, len(tags))
	for _, t := range tags {
		attrs = append(attrs, slog.Any(t.Key(), t.Value()))
	}
	return attrs
}
