package redis

import (
	"context"
	"errors"
	"fmt"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

// Commit writes everything in one script, which first makes sure that the term still holds the session and in the end gives it
// up. What concerns the indexes is entered there before.
func (h *held) Commit(ctx context.Context, c *state.Commit) error {
	d, session := h.driver, h.record.Session
	w := &words{}
	w.commit(h, c)
	if w.err != nil {
		return fmt.Errorf("redis: commit: %w", w.err)
	}
	if err := d.enter(ctx, session, h.term, now, h.concerns(c)); err != nil {
		return fmt.Errorf("redis: commit: %w", err)
	}
	if err := h.write(ctx, h.commitKeys(c), w.all); err != nil {
		return fmt.Errorf("redis: commit: %w", err)
	}
	h.over = true
	if d.clustered && worthTelling(c) {
		d.announcer.add(session, len(c.Pending) > 0)
	}
	return nil
}

// concerns are the indexes that must list the session once this is written.
func (h *held) concerns(c *state.Commit) (indexes []index) {
	if h.record.Epoch != c.Epoch {
		indexes = append(indexes, existing)
	}
	if c.TasksChanged && len(c.Tasks) > 0 {
		indexes = append(indexes, tasked)
	}
	if len(c.Pending) > 0 {
		indexes = append(indexes, waiting)
	}
	return indexes
}

func (h *held) commitKeys(c *state.Commit) []string {
	owner := ""
	if c.Entry != nil {
		owner = c.Entry.Owner
	}
	keys := h.driver.keys.of(h.record.Session, "lease", "waiting", "record", "documents", "changes", "messages",
		"ledger", "owners", callsOf+owner, "order", "rows", "marks")
	if !h.driver.clustered && worthTelling(c) {
		keys = append(keys, h.driver.keys.notices())
	}
	return keys
}

// callsOf is what the name of the key for an owner's calls begins with.
const callsOf = "numbered:"

// write runs the script, and again if the answer is lost: the script knows a term that has committed. If in the end the hold is
// found lost after an attempt of which nobody knows, the commit may have happened, and the error is that attempt's.
func (h *held) write(ctx context.Context, keys []string, args []any) error {
	const tries, pause = 6, 10 * time.Millisecond
	var unclear, err error
	for try := range tries {
		var answer string
		if answer, err = h.driver.once(ctx, h.driver.scripts.commit, keys, args...).Text(); err == nil {
			return verdict(answer, unclear)
		}
		if !refused(err) {
			unclear = err
		}
		if !passing(err) || !h.driver.pause(ctx, pause<<try) {
			break
		}
	}
	if unclear != nil {
		return unknown(unclear)
	}
	return err
}

// verdict is what the script's answer means after attempts of which the last that nobody knows of failed so.
func verdict(answer string, unclear error) error {
	switch {
	case answer != "lost":
		return nil
	case unclear != nil:
		return unknown(unclear)
	}
	return holdfast.ErrLockExpired
}

func unknown(err error) error { return fmt.Errorf("whether it was written is not known: %w", err) }

// pause reports whether the time passed before ctx or the driver ended.
func (d *Driver) pause(ctx context.Context, pause time.Duration) bool {
	select {
	case <-time.After(pause):
		return true
	case <-d.closed:
	case <-ctx.Done():
	}
	return false
}

// refused reports that the server has answered with an error, so that nothing was written.
func refused(err error) bool {
	var reply goredis.Error
	return errors.As(err, &reply)
}

// passing reports an error after which another attempt may succeed.
func passing(err error) bool {
	if !refused(err) {
		return !errors.Is(err, goredis.ErrClosed) && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
	}
	for _, prefix := range []string{
		"LOADING", "READONLY", "TRYAGAIN", "CLUSTERDOWN", "MASTERDOWN", "NOREPLICAS", "MOVED", "ASK", "BUSY ",
	} {
		if goredis.HasErrorPrefix(err, prefix) {
			return true
		}
	}
	return false
}
