package redis_test

import (
	"context"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/redis"
	"github.com/holdfast-run/holdfast/state/redis/redistest"
)

// elsewhere is a session that is on another server than the notices, and the client of the notices' server.
func elsewhere(t *testing.T, cluster *redistest.Cluster) (holdfast.SessionID, *goredis.Client) {
	t.Helper()
	whole := goredis.NewClusterClient(&goredis.ClusterOptions{Addrs: []string{cluster.Servers()[0].Address()}})
	t.Cleanup(func() { require.NoError(t, whole.Close()) })
	at, err := whole.MasterForKey(t.Context(), notices)
	require.NoError(t, err)
	for _, id := range []holdfast.SessionID{"test-1", "test-2", "test-3", "test-4", "test-5", "test-6", "test-7", "test-8"} {
		its, err := whole.MasterForKey(t.Context(), "holdfast:{"+string(id)+"}:record")
		require.NoError(t, err)
		if its.Options().Addr != at.Options().Addr {
			return id, goredis.NewClient(&goredis.Options{Addr: at.Options().Addr})
		}
	}
	require.Fail(t, "all sessions are where the notices are")
	return "", nil
}

// changed is a commit that is seen, and that no index needs to know of.
func changed(held state.Held) *state.Commit {
	c := full(held, "2")
	c.TasksChanged, c.Tasks, c.Pending, c.Change.Tasks = false, nil, nil, nil
	return c
}

// hears waits for the notice, among others.
func hears(t *testing.T, heard <-chan state.Notice, want state.Notice) {
	t.Helper()
	patience := time.After(time.Minute)
	for {
		select {
		case n := <-heard:
			if n == want {
				return
			}
		case <-patience:
			require.Fail(t, "nothing is heard of it")
		}
	}
}

// TestACommitDoesNotWaitForTheServerOfTheNotices: that one takes no writes for a while.
func TestACommitDoesNotWaitForTheServerOfTheNotices(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t)
	id, slow := elsewhere(t, cluster)
	t.Cleanup(func() { require.NoError(t, slow.Close()) })
	d := open(t, cluster.URL()+"&read_timeout=1m", redis.Options{})
	put(t, d, id)
	heard, _ := watch(t, d, slow)
	const never = 30 * time.Second
	require.NoError(t, slow.Do(t.Context(), "CLIENT", "PAUSE", never.Milliseconds(), "WRITE").Err())
	ctx, cancel := context.WithTimeout(t.Context(), never)
	defer cancel()
	committed := make(chan error, 1)
	go func() {
		for range 3 { // of which others hear once or more
			held, err := d.Acquire(ctx, state.Claim{Session: id, Lease: time.Minute})
			if err == nil {
				err = held.Commit(ctx, changed(held))
			}
			if err != nil {
				committed <- err
				return
			}
		}
		close(committed)
	}()
	select {
	case err := <-committed:
		require.NoError(t, err)
	case <-time.After(never / 3):
		require.Fail(t, "the commits wait for the server of the notices")
	}
	require.NoError(t, slow.Do(t.Context(), "CLIENT", "UNPAUSE").Err())
	hears(t, heard, state.Notice{Session: id})
}

// TestCloseTellsWhatIsLeft: a process that commits and ends at once is heard of.
func TestCloseTellsWhatIsLeft(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t)
	id, server := elsewhere(t, cluster)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	d, other := open(t, cluster.URL(), redis.Options{}), open(t, cluster.URL(), redis.Options{})
	put(t, d, id)
	heard, _ := watch(t, other, server)
	held := hold(t, d, id)
	require.NoError(t, held.Commit(t.Context(), changed(held)))
	require.NoError(t, d.Close())
	hears(t, heard, state.Notice{Session: id})
}

// TestWhatNobodySeesIsNotTold has one server, and a cluster, where the notice is not part of the commit.
func TestWhatNobodySeesIsNotTold(t *testing.T) {
	t.Parallel()
	server, cluster := redistest.Start(t), redistest.StartCluster(t)
	id, far := elsewhere(t, cluster)
	t.Cleanup(func() { require.NoError(t, far.Close()) })
	for url, client := range map[string]*goredis.Client{server.URL(): raw(t, server), cluster.URL(): far} {
		d := open(t, url, redis.Options{})
		held := hold(t, d, id)
		require.NoError(t, held.Commit(t.Context(), &state.Commit{Epoch: "epoch1", Version: 1}))
		require.NoError(t, d.Close())
		length, err := client.XLen(t.Context(), notices).Result()
		require.NoError(t, err)
		require.Zero(t, length, url)
	}
}
