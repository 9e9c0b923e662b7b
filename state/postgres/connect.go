package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// errReadOnly reports a server that does not write.
var errReadOnly = errors.New("the server can only be read: it is a replica, or is set to read only")

// configure reads the URL. Nothing of the URL goes into an error before it is known where the password is.
func configure(address string, o Options) (*pgxpool.Config, error) {
	const form = "the URL must be like postgres://user:password@host:5432/database" //nolint:gosec // no password
	parsed, err := url.Parse(address)
	if err != nil || (parsed.Scheme != "postgres" && parsed.Scheme != "postgresql") {
		return nil, errors.New(form) // the parser's error quotes parts of the URL
	}
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		return nil, fmt.Errorf("%s, and has a part that is not understood: %w", form, unquoted(err))
	}
	if o.Connections > 0 {
		config.MaxConns = int32(min(o.Connections, 1<<15))
	} else if !parsed.Query().Has("pool_max_conns") {
		config.MaxConns = 16
	}
	connection := config.ConnConfig
	if connection.ConnectTimeout == 0 || !parsed.Query().Has("connect_timeout") {
		connection.ConnectTimeout = 5 * time.Second
	}
	if _, named := connection.RuntimeParams["application_name"]; !named {
		connection.RuntimeParams["application_name"] = "holdfast"
	}
	connection.DialFunc = dialer(connection.ConnectTimeout).DialContext
	connection.DefaultQueryExecMode = pgx.QueryExecModeCacheStatement // each statement is prepared once a connection
	connection.ValidateConnect = writable
	// What a ping would find out, the statement itself does, and is then sent again.
	config.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return false }
	config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error { return settle(ctx, conn, o.Schema) }
	return config, nil
}

// unquoted is what was wrong with a URL, without the URL.
func unquoted(err error) error {
	parsing, ok := errors.AsType[*pgconn.ParseConfigError](err)
	switch {
	case !ok:
		return errors.New("a setting of the pool")
	case parsing.Unwrap() == nil:
		return errors.New("a part of it, such as the port")
	}
	return parsing.Unwrap() //nolint:wrapcheck // wrapped by the caller
}

// writable refuses a server that only reads, on each new connection: after a failover the old address may lead to a replica.
func writable(ctx context.Context, conn *pgconn.PgConn) error {
	results, err := conn.Exec(ctx, "SHOW transaction_read_only").ReadAll()
	if err != nil {
		return fmt.Errorf("ask whether the server can be written to: %w", err)
	}
	if len(results) == 1 && len(results[0].Rows) == 1 && string(results[0].Rows[0][0]) == "on" {
		return errReadOnly
	}
	return nil
}

// settle sets what a connection needs and the database's or the role's owner may have set otherwise. It is sent after the connection was
// made, as a pooler refuses settings that it does not know at that time.
func settle(ctx context.Context, conn *pgx.Conn, schema string) error {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	_, err := conn.PgConn().Exec(ctx, "SET search_path = "+pgx.Identifier{schema}.Sanitize()+`;
		SET default_transaction_isolation = 'read committed'; -- a holder must see what was committed while it waited for the row
		SET statement_timeout = 0; SET lock_timeout = `+fmt.Sprint(lockTime.Milliseconds())+`; -- then it is tried again, for as long as its caller waits
		SET idle_in_transaction_session_timeout = '10s'; -- nothing is ever left open; if it is, it must not hold locks
		SET tcp_keepalives_idle = 4; SET tcp_keepalives_interval = 1; SET tcp_keepalives_count = 3`).ReadAll()
	if err != nil {
		return fmt.Errorf("set up the connection: %w", err)
	}
	return nil
}

// place names the database for a person.
func place(config *pgxpool.Config) string {
	c := config.ConnConfig
	host := net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port)))
	if strings.HasPrefix(c.Host, "/") {
		host = c.Host
	}
	return host + "/" + c.Database
}

// explain says what is behind an error of connecting, where that is known.
func explain(err error, config *pgxpool.Config) error {
	var network net.Error
	user, database := config.ConnConfig.User, config.ConnConfig.Database
	var reason string
	switch c := code(err); {
	case c == "28P01":
		reason = fmt.Sprintf("the server refuses the password of user %q", user)
	case c == "28000":
		reason = fmt.Sprintf("the server does not let user %q in from here", user)
	case c == "3D000":
		reason = fmt.Sprintf("the server has no database %q", database)
	case c == "42501":
		reason = fmt.Sprintf("user %q may not do what is needed; the schema must be its own, or it must be allowed to create it", user)
	case c == "53300":
		reason = "the server has no connection left"
	case c == "57P03":
		reason = "the server is starting up or shutting down"
	case c == "" && failedToConnect(err) && errors.As(err, &network):
		reason = "the server cannot be reached"
	default:
		return err
	}
	return fmt.Errorf("%s: %w", reason, err)
}

func failedToConnect(err error) bool {
	_, ok := errors.AsType[*pgconn.ConnectError](err)
	return ok
}

// code is the SQLSTATE of an error that the server reported.
func code(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return ""
}
