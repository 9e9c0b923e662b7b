package command

import (
	"context"

	"github.com/go-logr/logr"
	goredis "github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel"
)

// quietLibraries silences what libraries say past our log, on their own and in a form of their own. What they say there comes back as an
// error as well, and OpenTelemetry's quotes the variable that a token stands in.
func quietLibraries() {
	goredis.SetLogger(silent{})
	otel.SetLogger(logr.Discard())
}

// silent is a logger of go-redis's that says nothing.
type silent struct{}

// Printf does nothing.
func (silent) Printf(context.Context, string, ...any) {}
