package redis

import (
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/redis/redistest"
)

// documented are the rules of the user that the package's documentation shows: those that are needed, and those that are not.
func documented(t *testing.T) (needed, optional []string) {
	t.Helper()
	source, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	rules := regexp.MustCompile(`(?m)^//\t(.*[+~].*)$`).FindAllStringSubmatch(string(source), -1)
	require.NotEmpty(t, rules)
	for _, line := range rules {
		for rule := range strings.FieldsSeq(line[1]) {
			switch {
			case strings.HasPrefix(rule, "~"):
			case slices.Contains([]string{"+publish", "+subscribe", "+info", "+config|get", "&holdfast:freed"}, rule):
				optional = append(optional, rule)
			case strings.HasPrefix(rule, "+"):
				needed = append(needed, rule)
			}
		}
	}
	return needed, optional
}

// user makes a user who may do only that, with the keys of the documentation, and returns the address for it.
func user(t *testing.T, server *redistest.Server, name string, rules []string) string {
	t.Helper()
	client := goredis.NewClient(&goredis.Options{Addr: server.Address()})
	defer client.Close()
	words := []any{"ACL", "SETUSER", name, "reset", "on", ">word", "~holdfast:*", "~{holdfast*"}
	for _, rule := range rules {
		words = append(words, rule)
	}
	require.NoError(t, client.Do(t.Context(), words...).Err())
	return "redis://" + name + ":word@" + server.Address()
}

// inUse does a bit of everything.
func inUse(t *testing.T, d *Driver) {
	t.Helper()
	h, err := d.Acquire(t.Context(), state.Claim{Session: "test-one", Lease: time.Minute, Key: "k"})
	require.NoError(t, err)
	require.NoError(t, h.Renew(t.Context(), time.Minute))
	rows := []state.Pending{{ID: "p", Session: "test-one"}}
	tasks := []state.Task{{ID: "t"}}
	require.NoError(t, h.Commit(t.Context(), &state.Commit{
		Epoch: "e", Version: 1, Revision: 1, LastMessage: 1, KeepChanges: 1, KeepMessages: 1,
		Change: &state.Change{Revision: 1, Messages: []state.Message{{ID: 1}}}, Tasks: tasks, TasksChanged: true,
		Entry: &state.Entry{Owner: "o", Key: "k"}, Pending: rows,
	}))
	outbox, err := d.Outbox(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, outbox, 1)
	listed, err := d.Listed(t.Context())
	require.NoError(t, err)
	require.Len(t, listed, 1)
	require.NoError(t, d.Touch(t.Context(), "test-one", "o"))
	require.NoError(t, d.SetPresence(t.Context(), "test-one", "one", state.PresenceConnected))
	gone, err := d.RemoveLapsed(t.Context(), "test-one", "one")
	require.NoError(t, err)
	require.True(t, gone)
	_, err = d.RenewLease(t.Context(), "one", time.Minute)
	require.NoError(t, err)
	require.NoError(t, d.SetPresence(t.Context(), "test-one", "one", state.PresenceConnected))
	_, err = d.Presence(t.Context(), "test-one")
	require.NoError(t, err)
	_, err = d.Lapsed(t.Context(), 10)
	require.NoError(t, err)
	for _, age := range []time.Duration{time.Hour, -time.Hour} {
		_, err = d.Expire(t.Context(), state.Expiry{Idle: age, Ledger: age})
		require.NoError(t, err)
	}
	_, err = d.Changes(t.Context(), "test-one", state.Position{Epoch: "e"}, 10)
	require.NoError(t, err)
	begun := make(chan struct{}, 1)
	ended := make(chan error, 1)
	go func() { ended <- d.Watch(t.Context(), func(state.Notice) { begun <- struct{}{} }) }()
	select {
	case <-begun:
	case err := <-ended:
		require.NoError(t, err)
	}
}

func TestTheDocumentedCommandsAreEnough(t *testing.T) {
	t.Parallel()
	needed, optional := documented(t)
	require.Len(t, optional, 5)
	for name, rules := range map[string][]string{"bare": needed, "whole": slices.Concat(needed, optional)} {
		d, err := Open(t.Context(), user(t, redistest.Start(t), name, rules), Options{})
		require.NoError(t, err)
		inUse(t, d)
		require.NoError(t, d.Close())
	}
}

// TestAUserWhoLacksACommandIsRefused, for each of them.
func TestAUserWhoLacksACommandIsRefused(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	needed, optional := documented(t)
	for i, rule := range needed {
		name := strings.TrimPrefix(rule, "+")
		if name == "scan" || strings.HasPrefix(name, "cluster") {
			continue // of a cluster
		}
		rules := slices.Concat(needed[:i], needed[i+1:], optional)
		_, err := Open(t.Context(), user(t, server, "lacks-"+name, rules), Options{})
		require.ErrorContains(t, err, "sessions cannot be kept here: the user may not call "+strings.ToUpper(name)+",", rule)
		require.NotContains(t, err.Error(), "word")
	}
	address := user(t, server, "elsewhere", []string{"+@all"})
	_, err := Open(t.Context(), address, Options{Prefix: "other"})
	require.ErrorContains(t, err, `or not on the keys of prefix "other"`)
}

// TestAClustersUserWhoLacksACommandOnOneServer has one server that was not told of it.
func TestAClustersUserWhoLacksACommandOnOneServer(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t)
	needed, optional := documented(t)
	rules := slices.Concat(needed, optional)
	var address string
	for _, server := range cluster.Servers() {
		address = user(t, server, "app", rules) + "?cluster=true"
	}
	d, err := Open(t.Context(), address, Options{})
	require.NoError(t, err)
	inUse(t, d)
	require.NoError(t, d.repairer.repair(t.Context(), d.keys.repaired(), time.Minute))
	require.NoError(t, d.Close())
	for _, server := range cluster.Servers() {
		user(t, server, "app", append(slices.Clone(rules), "-zadd"))
		_, err = Open(t.Context(), address, Options{})
		require.ErrorContains(t, err, "the user may not call ZADD,")
		user(t, server, "app", append(slices.Clone(rules), "-scan"))
		_, err = Open(t.Context(), address, Options{})
		require.ErrorContains(t, err, "the user may not call SCAN,")
		user(t, server, "app", rules)
	}
}

// TestTheProbeCallsWhatScriptsCall: PUBLISH is left out, as scripts do without it.
func TestTheProbeCallsWhatScriptsCall(t *testing.T) {
	t.Parallel()
	probe, err := fs.ReadFile(sources, "scripts/probe.lua")
	require.NoError(t, err)
	names, err := fs.Glob(sources, "scripts/*.lua")
	require.NoError(t, err)
	command := regexp.MustCompile(`redis\.call\('([A-Z]+)'|or '([A-Z]+)'|and '([A-Z]+)'`)
	n := 0
	for _, name := range names {
		source, err := fs.ReadFile(sources, name)
		require.NoError(t, err)
		for _, found := range command.FindAllStringSubmatch(string(source), -1) {
			require.Contains(t, string(probe), "{'"+found[1]+found[2]+found[3]+"'", name)
			n++
		}
	}
	require.Greater(t, n, 50)
}
