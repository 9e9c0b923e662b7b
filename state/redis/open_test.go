package redis_test

import (
	"bufio"
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"syscall"
	"testing"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/state/redis"
	"github.com/holdfast-run/holdfast/state/redis/redistest"
)

func TestOpenSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	locked := redistest.Start(t, "--requirepass", "right")
	gone := redistest.Start(t)
	gone.Kill()
	alone := redistest.Start(t)
	old := oldServer(t)
	replica, master := redistest.Start(t), redistest.Start(t)
	require.NoError(t, raw(t, replica).Do(t.Context(), "REPLICAOF", "127.0.0.1", master.Port()).Err())
	for name, c := range map[string]struct {
		url  string
		want []string
	}{
		"a wrong password": {"redis://:s3cr3t@" + locked.Address(), []string{locked.Address() + " refuses the user or the password"}},
		"a wrong user":     {"redis://somebody:s3cr3t@" + locked.Address(), []string{"refuses the user or the password"}},
		"no password":      {locked.URL(), []string{locked.Address() + " asks for a password, and the address has none"}},
		"nobody there":     {"redis://:s3cr3t@" + gone.Address(), []string{gone.Address() + " cannot be reached"}},
		"a lone server":    {alone.URL() + "?cluster=true", []string{alone.Address(), "cluster support disabled"}},
		"an old server":    {"redis://:s3cr3t@" + old, []string{old, `is version "6.2.14", and Redis 7 or later (or Valkey)`}},
		"a replica": {replica.URL(), []string{
			replica.Address() + ": sessions cannot be kept here: the server is a replica (role:slave in INFO)", "its master " + master.Address(),
		}},
		"another scheme":    {"http://:s3cr3t@host", []string{"does not begin with redis:// or rediss://"}},
		"no host":           {"redis:///0", []string{"does not begin with redis:// or rediss:// and a host"}},
		"an open slash":     {"redis://:a/s3cr3t@host", []string{"is not of the form"}},
		"an open hash":      {"redis://:12#s3cr3t@host", []string{"is not of the form"}},
		"an open question":  {"redis://:12?s3cr3t@host", []string{"is not of the form"}},
		"an unknown option": {"redis://:s3cr3t@host?colour=red", []string{"host", "unexpected option: colour"}},
		"a bad database":    {"redis://:s3cr3t@host/one", []string{"host", "invalid database number"}},
		"a cluster's 1":     {"redis://:s3cr3t@host/1?cluster=true", []string{"host", "a cluster has no database but 0"}},
		"reading replicas":  {"redis://:s3cr3t@host?cluster=true&read_only=true", []string{"sessions are not read from replicas"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := redis.Open(t.Context(), c.url, redis.Options{})
			for _, want := range c.want {
				require.ErrorContains(t, err, want)
			}
			require.NotContains(t, err.Error(), "s3cr3t")
		})
	}
	_, err := redis.Open(t.Context(), gone.URL(), redis.Options{})
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	_, err = redis.Open(t.Context(), alone.URL(), redis.Options{Prefix: "a{b}"})
	require.EqualError(t, err, `redis: the prefix "a{b}" has one of the characters {}*?[]\`)
}

func TestOpenTellsAClustersServer(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, "--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(redistest.FreePort(t)))
	_, err := redis.Open(t.Context(), server.URL(), redis.Options{})
	require.ErrorContains(t, err, "the address lacks the parameter cluster=true")

	valkey := fakeServer(t, "# Server\r\nredis_version:7.2.4\r\nvalkey_version:8.0.1\r\nserver_mode:cluster\r\n")
	_, err = redis.Open(t.Context(), "redis://"+valkey, redis.Options{})
	require.ErrorContains(t, err, "the address lacks the parameter cluster=true")
}

// oldServer answers as a server of long ago would.
func oldServer(t *testing.T) string {
	t.Helper()
	return fakeServer(t, "# Server\r\nredis_version:6.2.14\r\nredis_mode:standalone\r\n")
}

// fakeServer says that of itself, and nothing else.
func fakeServer(t *testing.T, info string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go answer(conn, info)
		}
	}()
	return listener.Addr().String()
}

// answer answers each command by its name, which is the second line after that with the number of words.
func answer(conn net.Conn, info string) {
	defer conn.Close()
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		if !strings.HasPrefix(lines.Text(), "*") || !lines.Scan() || !lines.Scan() {
			continue
		}
		switch strings.ToLower(lines.Text()) {
		case "hello":
			_, _ = fmt.Fprint(conn, "-ERR unknown command\r\n")
		case "info":
			_, _ = fmt.Fprintf(conn, "$%d\r\n%s\r\n", len(info), info)
		default:
			_, _ = fmt.Fprint(conn, "+OK\r\n")
		}
	}
}

func TestOpenWarnsOfSettingsThatLoseSessions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args  []string
		limit bool
		want  string // part of the one line; empty: none
	}{
		"safe":              {},
		"no file":           {args: []string{"--appendonly", "no"}, want: "level=WARN msg=\"redis: appendonly is off"},
		"eviction":          {args: []string{"--maxmemory-policy", "allkeys-lru"}, want: "set maxmemory-policy noeviction"},
		"no sync":           {args: []string{"--appendfsync", "no"}, want: "level=WARN msg=\"redis: appendfsync is no"},
		"CONFIG is refused": {limit: true, want: "level=INFO msg=\"redis: how often the server waits for its disk"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t, c.args...)
			url := server.URL()
			if c.limit {
				client := goredis.NewClient(&goredis.Options{Addr: server.Address()})
				require.NoError(t, client.Do(t.Context(), "ACL", "SETUSER", "app", "on", ">word", "~*", "&*", "+@all", "-config").Err())
				require.NoError(t, client.Close())
				url = "redis://app:word@" + server.Address()
			}
			var log bytes.Buffer
			open(t, url, redis.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
			if c.want == "" {
				require.Empty(t, log.String())
				return
			}
			require.Contains(t, log.String(), c.want)
			require.Contains(t, log.String(), server.Address())
			require.Equal(t, 1, strings.Count(log.String(), "\n"))
		})
	}
}
