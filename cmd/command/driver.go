package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"strings"

	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/memory"
	"github.com/holdfast-run/holdfast/state/postgres"
	"github.com/holdfast-run/holdfast/state/redis"
	"github.com/holdfast-run/holdfast/state/sqlite"
)

// OpenDriver opens the driver for a state.url: sqlite:PATH, postgres://…, redis://… (rediss:// for TLS) or memory:. No error holds
// a password.
func OpenDriver(ctx context.Context, address string, log *slog.Logger) (state.Driver, error) {
	scheme, rest, _ := strings.Cut(address, ":")
	switch scheme {
	case "sqlite":
		return sqlite.Open(ctx, rest, sqlite.Options{})
	case "postgres", "postgresql":
		return postgres.Open(ctx, address, postgres.Options{})
	case "redis", "rediss":
		return redis.Open(ctx, address, redis.Options{Logger: log})
	case "memory":
		return memory.New(), nil
	default:
		return nil, fmt.Errorf("state.url: the scheme is %q; expected sqlite, postgres, redis, rediss or memory", scheme)
	}
}

// passing reports an error of opening the state that ends when the server is there; any other would only repeat.
func passing(err error) bool {
	var network *net.OpError // not net.Error, which every errno of the system is
	var name *net.DNSError
	var database interface{ SQLState() string }
	var file interface{ Code() int }
	const fileBusy, primary = 5, 0xff // SQLITE_BUSY: another process writes for long, as one that is paused
	switch {
	case errors.As(err, &database):
		switch code := database.SQLState(); code {
		case "57P01", "57P02", "57P03", "53300": // it goes down or comes up; it has too many connections
			return true
		default:
			return strings.HasPrefix(code, "08") // the connection
		}
	case errors.As(err, &file):
		return file.Code()&primary == fileBusy
	case errors.As(err, &network), errors.As(err, &name), errors.Is(err, context.DeadlineExceeded),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return true
	}
	return strings.Contains(err.Error(), "LOADING") // Redis reads its file
}

// redacted is the address as a log may show it: without user, password and parameters.
func redacted(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return address // of a file
	}
	return u.Scheme + "://" + u.Host + u.Path
}
