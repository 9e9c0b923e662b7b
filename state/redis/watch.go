package redis

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

// keepNotices is how many notices there are at least for watches to resume from.
const keepNotices = 10_000

// Watch reads the stream of notices over a connection of its own. Whatever breaks that connection ends the watch. It begins by
// telling everyone to look, as it does not know what was told before.
func (d *Driver) Watch(ctx context.Context, notify func(state.Notice)) error {
	w := &watch{key: d.keys.notices()}
	var err error
	if d.repairer != nil {
		d.repairer.begun()
	}
	if w.client, err = d.dedicated(ctx, w.key); err == nil {
		defer w.client.Close() //nolint:errcheck // it was only read from
		err = w.follow(ctx, d.open, notify)
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case d.open.Err() != nil:
		return errClosed
	}
	return fmt.Errorf("redis: watch: %w", err)
}

// dedicated is a client with one connection, to the server that has the key. It does not repeat what fails.
func (d *Driver) dedicated(ctx context.Context, key string) (*goredis.Client, error) {
	var options goredis.Options
	switch client := d.client.(type) {
	case *goredis.Client:
		options = *client.Options()
	case *goredis.ClusterClient:
		master, err := client.MasterForKey(ctx, key)
		if err != nil {
			return nil, fmt.Errorf("find the server of the notices: %w", err)
		}
		options = *master.Options()
	default:
		return nil, errors.ErrUnsupported
	}
	options.PoolSize, options.MinIdleConns, options.MaxRetries = 1, 0, -1
	return goredis.NewClient(&options), nil
}

// watch is where one Watch stands.
type watch struct {
	client *goredis.Client
	key    string
	last   int64 // number of the last notice that it knows of
}

// close ends a read that waits for notices.
func (w *watch) close() { _ = w.client.Close() }

// follow reads until the connection breaks or one of the two contexts ends.
func (w *watch) follow(ctx, open context.Context, notify func(state.Notice)) (err error) {
	stop := context.AfterFunc(ctx, w.close)
	defer stop()
	forget := context.AfterFunc(open, w.close)
	defer forget()
	if w.last, err = w.newest(ctx); err != nil {
		return err
	}
	notify(state.Notice{All: true, Outbox: true})
	for {
		entries, err := w.read(ctx)
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			err = w.compare(ctx, notify)
		} else {
			err = w.tell(entries, notify)
		}
		if err != nil {
			return err
		}
	}
}

// read waits for notices, for a while.
func (w *watch) read(ctx context.Context) ([]goredis.XMessage, error) {
	const while, most = time.Second, 1000
	ctx, cancel := context.WithTimeout(ctx, while+answerTime) // the client itself would wait for ten seconds more
	defer cancel()
	streams, err := w.client.XRead(ctx, &goredis.XReadArgs{
		Streams: []string{w.key, streamID(w.last)}, Count: most, Block: while,
	}).Result()
	if errors.Is(err, goredis.Nil) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the notices: %w", err)
	}
	return streams[0].Messages, nil
}

// newest is the number of the last notice there is; 0 for none.
func (w *watch) newest(ctx context.Context) (int64, error) {
	entries, err := w.client.XRevRangeN(ctx, w.key, "+", "-", 1).Result()
	if err != nil {
		return 0, fmt.Errorf("find the last notice: %w", err)
	}
	if len(entries) == 0 {
		return 0, nil
	}
	return streamNumber(entries[0].ID)
}

// compare notices a stream that has begun anew, behind the watch's back.
func (w *watch) compare(ctx context.Context, notify func(state.Notice)) error {
	newest, err := w.newest(ctx)
	if err == nil && newest < w.last {
		w.last = newest
		notify(state.Notice{All: true, Outbox: true})
	}
	return err
}

// tell hands on what was read, each session once, or, where a number is missing, that anything may have changed.
func (w *watch) tell(entries []goredis.XMessage, notify func(state.Notice)) error {
	outboxes := map[holdfast.SessionID]bool{}
	missed := false
	for _, e := range entries {
		n, err := streamNumber(e.ID)
		if err != nil {
			return err
		}
		missed = missed || n != w.last+1
		w.last = n
		session := holdfast.SessionID(text(e.Values["session"]))
		outboxes[session] = outboxes[session] || text(e.Values["outbox"]) == flag(true)
	}
	if missed {
		notify(state.Notice{All: true, Outbox: true})
		return nil
	}
	for session, outbox := range outboxes {
		notify(state.Notice{Session: session, Outbox: outbox})
	}
	return nil
}

// streamNumber is the number before the dash of a stream's id.
func streamNumber(id string) (int64, error) {
	before, _, _ := strings.Cut(id, "-")
	n, err := strconv.ParseInt(before, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read the id of an entry: %w", err)
	}
	return n, nil
}
