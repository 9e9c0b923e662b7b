package redis_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/redis"
	"github.com/holdfast-run/holdfast/state/redis/redistest"
)

const session = holdfast.SessionID("test-one")

// hold acquires the session.
func hold(t testing.TB, d state.Driver, id holdfast.SessionID) state.Held {
	t.Helper()
	held, err := d.Acquire(t.Context(), state.Claim{Session: id, Lease: time.Minute})
	require.NoError(t, err)
	return held
}

// full is a commit that touches everything a commit can.
func full(held state.Held, document string) *state.Commit {
	r := held.Record()
	task := state.Task{ID: "test.A-one-x", Name: "A", Status: state.StatusRunning}
	row := state.Pending{ID: fmt.Sprint("p", r.Version), Kind: state.KindStart, Session: r.Session, App: "test", Name: "A"}
	c := &state.Commit{
		Epoch: "epoch1", Version: r.Version + 1, Revision: r.Revision + 1, LastMessage: r.LastMessage + 1,
		Documents: holdfast.Documents{"State": json.RawMessage(document)},
		Tasks:     []state.Task{task}, TasksChanged: true,
		Entry:       &state.Entry{Owner: "o", Key: fmt.Sprint("k", r.Version), Seq: r.Version + 1, Result: json.RawMessage("1")},
		Marks:       map[string]json.RawMessage{"o": json.RawMessage("{}")},
		Pending:     []state.Pending{row},
		KeepChanges: 10, KeepMessages: 10,
	}
	c.Change = &state.Change{Revision: c.Revision, Tasks: &c.Tasks, Messages: []state.Message{
		{ID: c.LastMessage, Name: "m", Data: json.RawMessage("7"), Revision: c.Revision},
	}}
	return c
}

// losing is a server whose answers can be lost. It knows the scripts already, so that the answer is that of the script.
func losing(t *testing.T) (*redistest.Server, *proxy) {
	t.Helper()
	server := redistest.Start(t)
	d := open(t, server.URL(), redis.Options{Prefix: "another"})
	held := hold(t, d, session)
	require.NoError(t, held.Commit(t.Context(), full(held, "1")))
	return server, newProxy(t, server.Address())
}

// written checks that the one commit was written once.
func written(t *testing.T, d state.Driver) {
	t.Helper()
	record, messages, err := d.Load(t.Context(), session)
	require.NoError(t, err)
	require.Equal(t, int64(1), record.Version)
	require.Len(t, messages, 1)
	changes, err := d.Changes(t.Context(), session, state.Position{Epoch: "epoch1"}, 10)
	require.NoError(t, err)
	require.Len(t, changes, 1)
	pending, err := d.Outbox(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, pending, 1)
}

func TestCommitWhoseAnswerIsLostIsFoundOut(t *testing.T) {
	t.Parallel()
	_, between := losing(t)
	d := open(t, between.url(), redis.Options{})
	held := hold(t, d, session)
	between.lose("lost answer", 1, nil)
	require.NoError(t, held.Commit(t.Context(), full(held, `"lost answer"`)))
	require.Len(t, between.cut, 1)
	written(t, d)
}

func TestCommitOfWhichNobodyKnowsSaysSo(t *testing.T) {
	t.Parallel()
	server, between := losing(t)
	d := open(t, between.url(), redis.Options{})
	held := hold(t, d, session)
	between.lose("lost answer", 1000, nil)
	err := held.Commit(t.Context(), full(held, `"lost answer"`))
	require.ErrorContains(t, err, "whether it was written is not known")
	require.NotErrorIs(t, err, holdfast.ErrLockExpired)
	require.ErrorIs(t, err, io.EOF)
	held.Release()
	written(t, open(t, server.URL(), redis.Options{}))
}

// TestCommitOvertakenAfterALostAnswer: the repeat finds a later commit, which does not tell whether its own was written.
func TestCommitOvertakenAfterALostAnswer(t *testing.T) {
	t.Parallel()
	server, between := losing(t)
	d, other := open(t, between.url()+"?pool_size=1", redis.Options{}), open(t, server.URL(), redis.Options{})
	held := hold(t, d, session)
	released := make(chan struct{})
	between.lose("lost answer", 1, released)
	ended := make(chan error, 1)
	go func() { ended <- held.Commit(context.WithoutCancel(t.Context()), full(held, `"lost answer"`)) }()
	<-between.cut
	later := hold(t, other, session)
	require.Equal(t, int64(1), later.Record().Version)
	require.NoError(t, later.Commit(t.Context(), full(later, "2")))
	close(released)
	err := <-ended
	require.ErrorContains(t, err, "whether it was written is not known")
	require.NotErrorIs(t, err, holdfast.ErrLockExpired)
}

func TestCommitToAServerThatForgotItsScripts(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	d, client := open(t, server.URL(), redis.Options{}), raw(t, server)
	require.NoError(t, client.ScriptFlush(t.Context()).Err())
	held := hold(t, d, session)
	require.NoError(t, client.ScriptFlush(t.Context()).Err())
	require.NoError(t, held.Commit(t.Context(), full(held, "1")))
	written(t, d)
}

// TestCommitRefusedWritesNothing: the server is out of memory.
func TestCommitRefusedWritesNothing(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	d, client := open(t, server.URL(), redis.Options{}), raw(t, server)
	held := hold(t, d, session)
	require.NoError(t, client.ConfigSet(t.Context(), "maxmemory", "1").Err())
	err := held.Commit(t.Context(), full(held, "1"))
	require.ErrorContains(t, err, "OOM")
	require.NotErrorIs(t, err, holdfast.ErrLockExpired)
	record, _, err := d.Load(t.Context(), session)
	require.NoError(t, err)
	require.Empty(t, record.Epoch)
	require.NoError(t, held.Renew(t.Context(), time.Minute))
	held.Release()
	require.NoError(t, client.ConfigSet(t.Context(), "maxmemory", "0").Err())
	held = hold(t, d, session)
	require.NoError(t, held.Commit(t.Context(), full(held, "1")))
	written(t, d)
}

func TestDocumentsAreKeptByteForByte(t *testing.T) {
	t.Parallel()
	d := open(t, redistest.Start(t).URL(), redis.Options{})
	for _, document := range []string{"[]", "{}", `{ "a" : [ ] }`, "12345678901234567890", "1.0", `"<é\u00e9>"`, "null"} {
		held := hold(t, d, session)
		require.NoError(t, held.Commit(t.Context(), full(held, document)))
		record, _, err := d.Load(t.Context(), session)
		require.NoError(t, err)
		require.Equal(t, document, string(record.Documents["State"]))
	}
}

// TestPassingFaults: whatever a server says while it is not ready comes back as it is.
func TestPassingFaults(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	d, client := open(t, server.URL()+"?max_retries=-1", redis.Options{}), raw(t, server)
	held := hold(t, d, session)
	require.NoError(t, client.Do(t.Context(), "REPLICAOF", "127.0.0.1", redistest.FreePort(t)).Err())
	err := held.Commit(t.Context(), full(held, "1"))
	var reply goredis.Error
	require.ErrorAs(t, err, &reply)
	require.ErrorContains(t, err, "READONLY")
	require.NotErrorIs(t, err, holdfast.ErrLockExpired)
	require.NoError(t, client.Do(t.Context(), "REPLICAOF", "NO", "ONE").Err())
	require.NoError(t, held.Commit(t.Context(), full(held, "1")))
	written(t, d)
}

// raw is a client for looking behind the driver's back.
func raw(t testing.TB, server *redistest.Server) *goredis.Client {
	t.Helper()
	client := goredis.NewClient(&goredis.Options{Addr: server.Address()})
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	return client
}
