package redis

import (
	"context"
	"fmt"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/holdfast-run/holdfast"
)

// repair enters sessions into indexes that a failover has taken them out of. That happens only in a cluster, where an index and a
// session may be on different servers; on one server the entry was written before the session and is not lost without it.
func (d *Driver) repair(ctx context.Context) error {
	cluster, ok := d.client.(*goredis.ClusterClient)
	if !ok {
		return nil
	}
	const often = 10 * time.Minute
	turn, err := d.client.SetNX(ctx, d.keys.repaired(), "1", often).Result()
	if err != nil || !turn {
		return wrap("take turns with other processes", err)
	}
	return wrap("look for sessions", cluster.ForEachMaster(ctx, d.repairServer))
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
