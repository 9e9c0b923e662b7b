package postgres_test

import (
	"context"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/postgres"
	"github.com/holdfast-run/holdfast/state/postgres/postgrestest"
)

const secret = "s3cret/hush"

// with is the URL with one thing changed.
func with(t *testing.T, address string, change func(*url.URL)) string {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	change(u)
	return u.String()
}

// sql runs statements as the server's owner.
func sql(t testing.TB, address, statements string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	require.NoError(t, err)
	defer conn.Close(context.WithoutCancel(t.Context()))
	_, err = conn.PgConn().Exec(t.Context(), statements).ReadAll()
	require.NoError(t, err)
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	server := postgrestest.Start(t)
	for name, c := range map[string]struct {
		url  func(t *testing.T) string
		want string
	}{
		"a wrong password": {
			func(t *testing.T) string {
				return with(t, server.URL(), func(u *url.URL) { u.User = url.UserPassword("holdfast", secret) })
			},
			`the server refuses the password of user "holdfast"`,
		},
		"an unreachable server": {
			func(t *testing.T) string {
				return with(t, server.URL(), func(u *url.URL) { u.Host, u.User = unused(t), url.UserPassword("holdfast", secret) })
			},
			"the server cannot be reached",
		},
		"a missing database": {
			func(t *testing.T) string { return with(t, server.URL(), func(u *url.URL) { u.Path = "/nowhere" }) },
			`the server has no database "nowhere"`,
		},
		"a user without rights": {
			func(t *testing.T) string {
				sql(t, server.URL(), "CREATE USER guest PASSWORD '"+secret+"'")
				return with(t, server.Database(t), func(u *url.URL) { u.User = url.UserPassword("guest", secret) })
			},
			`user "guest" may not do what is needed`,
		},
		"a server that can only be read": {
			func(t *testing.T) string {
				address := server.Database(t)
				sql(t, address, readOnly("SET default_transaction_read_only = on"))
				return address
			},
			"the server can only be read",
		},
		"another encoding": {
			func(t *testing.T) string {
				sql(t, server.URL(), "CREATE DATABASE latin ENCODING LATIN1 TEMPLATE template0")
				return with(t, server.URL(), func(u *url.URL) { u.Path = "/latin" })
			},
			"the database has encoding LATIN1; UTF8 is needed",
		},
		"a newer schema": {
			func(t *testing.T) string {
				address := server.Database(t)
				require.NoError(t, open(t, address).Close())
				sql(t, address, "INSERT INTO holdfast.goose_db_version (version_id, is_applied) VALUES (999, true)")
				return address
			},
			"the schema was written by a newer version of this program: it has version 999, this program knows 5",
		},
		"a pooler without sessions": {
			func(t *testing.T) string {
				p, through := proxied(t, server.Database(t))
				p.isDeaf()
				return through
			},
			"notifications do not arrive",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := c.url(t)
			_, err := postgres.Open(t.Context(), address, postgres.Options{})
			require.ErrorContains(t, err, c.want)
			u, parseErr := url.Parse(address)
			require.NoError(t, parseErr)
			require.ErrorContains(t, err, "postgres: open "+u.Host+u.Path)
			requireSecret(t, err, address)
		})
	}
}

// readOnly changes a setting of the database.
func readOnly(change string) string {
	return "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I " + change + "', current_database()); END $$;"
}

// requireSecret makes sure that the error does not tell the URL's password.
func requireSecret(t *testing.T, err error, address string) {
	t.Helper()
	for _, password := range []string{secret, postgrestest.Password} {
		require.NotContains(t, err.Error(), password, address)
		require.NotContains(t, err.Error(), url.PathEscape(password), address)
	}
}

func TestOpenRefusesAURLWithoutTellingIt(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"", "localhost", "mysql://u:hush@h/d", "postgres://u:hush@h:hush/d", "postgres://u:%zhush@h/d",
		"postgres://u:hush@h:123456/d",
		"postgres://u:hush@h/d?sslmode=loud", "postgres://u:hush@h/d?pool_max_conns=many",
		"host=h password=hush", "postgres://u:hush@h /d",
		"postgres://u:hush@h/d?connect_timeout=soon", "postgres://h/d?password=hush&sslmode=loud",
		"postgres://u:hush@h/d?sslrootcert=/nowhere&sslmode=verify-full",
	} {
		_, err := postgres.Open(t.Context(), address, postgres.Options{})
		require.ErrorContains(t, err, "the URL must be like postgres://user:password@host:5432/database", address)
		require.NotContains(t, err.Error(), "hush", address)
	}
	_, err := postgres.Open(t.Context(), "postgres://h/d", postgres.Options{Schema: strings.Repeat("x", 64)})
	require.EqualError(t, err, "postgres: the name of the schema is longer than 63 bytes")
}

// testManyOpenANewDatabaseAtOnce has them race for the schema and the migrations, with as few connections as can be.
func testManyOpenANewDatabaseAtOnce(t *testing.T, address string) {
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			d, err := postgres.Open(t.Context(), address, postgres.Options{Connections: 1})
			if assert.NoError(t, err) {
				assert.NoError(t, d.Close())
			}
		})
	}
	all.Wait()
}

func testSchemasAreApart(t *testing.T, address string) {
	for _, schema := range []string{"one", `2 "of" them; --`} {
		d, err := postgres.Open(t.Context(), address, postgres.Options{Schema: schema})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, d.Close()) })
		record, _, err := d.Load(t.Context(), "test-one")
		require.NoError(t, err)
		require.Empty(t, record.Epoch)
		put(t, d, 1)
	}
}

// testAUserWithItsSchemaNeedsNoMore opens as one who may not create a schema, but owns one.
func testAUserWithItsSchemaNeedsNoMore(t *testing.T, address string) {
	sql(t, address, "CREATE USER tenant PASSWORD '"+secret+"'; CREATE SCHEMA holdfast AUTHORIZATION tenant")
	put(t, open(t, with(t, address, func(u *url.URL) { u.User = url.UserPassword("tenant", secret) })), 1)
}

// put commits a value.
func put(t *testing.T, d state.Driver, value int) {
	t.Helper()
	held := hold(t, d)
	require.NoError(t, held.Commit(t.Context(), next(held, value)))
}

// unused is an address at which nobody listens.
func unused(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	return listener.Addr().String()
}
