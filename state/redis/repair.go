package redis

import (
	"context"
	"errors"
	"fmt"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/holdfast-run/holdfast"
)

// repairer enters sessions into indexes that a failover has taken them out of. That happens only in a cluster, where an index and a
// session may be on different servers; on one server the entry was written before the session and is not lost without it.
type repairer struct {
	driver *Driver
	anew   chan struct{} // holds a token when a watch has begun: maybe a failover has broken the one before
}

func newRepairer(d *Driver) *repairer { return &repairer{driver: d, anew: make(chan struct{}, 1)} }

// begun notes that a watch has begun.
func (r *repairer) begun() {
	select {
	case r.anew <- struct{}{}:
	default:
	}
}

// run repairs from time to time and after a watch has begun, until the driver is closed.
func (r *repairer) run() {
	const often, soon = 10 * time.Minute, time.Minute
	for next := often; ; {
		var err error
		select {
		case <-time.After(next):
			err = r.repair(r.driver.open, r.driver.keys.repaired(), often-soon)
		case <-r.anew:
			err = r.repair(r.driver.open, r.driver.keys.repairedAnew(), soon)
		case <-r.driver.closed:
			return
		}
		if next = often; err != nil {
			r.driver.log.Warn("redis: comparing the indexes with the sessions failed; trying again later", "err", err)
			next = soon
		}
	}
}

// repair goes through all sessions, unless a process did so in the time before.
func (r *repairer) repair(ctx context.Context, turn string, before time.Duration) error {
	d := r.driver
	cluster, ok := d.client.(*goredis.ClusterClient)
	if !ok {
		return nil
	}
	mine, err := d.client.SetNX(ctx, turn, "1", before).Result()
	if err != nil || !mine {
		return wrap("take turns with other processes", err)
	}
	if err := cluster.ForEachMaster(ctx, d.repairServer); err != nil {
		return errors.Join(wrap("look for sessions", err), wrap("give the turn back", d.client.Del(ctx, turn).Err()))
	}
	return nil
}

// wrap says what was done when it failed; nil stays nil.
func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

// repairServer goes through the sessions of one server.
func (d *Driver) repairServer(ctx context.Context, server *goredis.Client) error {
	const some = 500
	pattern := d.keys.prefix + ":{*}:record"
	for cursor := uint64(0); ; {
		found, next, err := server.ScanType(ctx, cursor, pattern, some, "hash").Result()
		if err != nil {
			return err //nolint:wrapcheck // wrapped by the caller
		}
		for _, key := range found {
			if err := d.reenter(ctx, d.keys.sessionOf(key)); err != nil {
				return err
			}
		}
		if cursor = next; cursor == 0 {
			return nil
		}
	}
}

// reenter enters the session into the indexes that must list it, where it is missing.
func (d *Driver) reenter(ctx context.Context, session holdfast.SessionID) error {
	reply, err := d.run(ctx, d.scripts.concerns, d.keys.of(session, "record", "order")).Slice()
	if err != nil || len(reply) != 3 || reply[0] == nil {
		return err //nolint:wrapcheck // wrapped by the caller
	}
	indexes := []index{existing}
	if tasks := text(reply[1]); tasks != "" && tasks != "[]" {
		indexes = append(indexes, tasked)
	}
	if rows, ok := reply[2].(int64); ok && rows > 0 {
		indexes = append(indexes, waiting)
	}
	return d.enter(ctx, session, "", text(reply[0]), indexes)
}
