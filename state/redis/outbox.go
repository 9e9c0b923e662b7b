package redis

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	goredis "github.com/redis/go-redis/v9"

	"github.com/holdfast-run/holdfast/state"
)

// row is a row of the outbox and when it came there by the clock of the session's server.
type row struct {
	at   int64
	body string
}

// Outbox returns the rows that wait to be done, oldest first. Among sessions on different servers of a cluster that is as exact
// as the servers' clocks.
func (d *Driver) Outbox(ctx context.Context, limit int) ([]state.Pending, error) {
	rows, err := d.oldest(ctx, limit)
	if err != nil {
		return nil, fmt.Errorf("redis: outbox: %w", err)
	}
	pending := make([]state.Pending, len(rows))
	for i, r := range rows {
		if err := json.Unmarshal([]byte(r.body), &pending[i]); err != nil {
			return nil, fmt.Errorf("redis: outbox: decode a row: %w", err)
		}
	}
	return pending, nil
}

func (d *Driver) oldest(ctx context.Context, limit int) (rows []row, err error) {
	if limit <= 0 {
		return nil, nil
	}
	entries, err := d.entries(ctx, waiting, everything)
	if err != nil {
		return nil, err
	}
	err = d.each(ctx, entries, func(p goredis.Pipeliner, e entry) *goredis.Cmd {
		return d.scripts.outbox.pipe(ctx, p, d.keys.of(e.session, "order", "rows", "lease"), limit)
	}, func(e entry, reply []any) error {
		found, err := d.rowsOf(ctx, e, reply)
		rows = append(rows, found...)
		slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(a.at, b.at) })
		rows = rows[:min(limit, len(rows))]
		return err
	}, func(next entry) bool { // those to come are not older than their entries
		return len(rows) == limit && rows[limit-1].at <= next.at
	})
	return rows, err
}

// rowsOf reads a session's rows. An entry of the index without any is taken out.
func (d *Driver) rowsOf(ctx context.Context, e entry, reply []any) (rows []row, err error) {
	if len(reply) != 2 {
		return nil, errReply
	}
	values := list(reply[1])
	for i := 0; i+1 < len(values); i += 2 {
		at, err := number(values[i])
		if err != nil {
			return nil, err
		}
		rows = append(rows, row{at: at, body: text(values[i+1])})
	}
	if len(rows) == 0 && !e.pending(reply[0]) {
		return nil, d.leave(ctx, waiting, e)
	}
	return rows, nil
}
