package redis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	goredis "github.com/redis/go-redis/v9"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

// Load returns the session as it was last committed.
func (d *Driver) Load(ctx context.Context, session holdfast.SessionID) (*state.Record, []state.Message, error) {
	reply, err := d.run(ctx, d.scripts.load, d.keys.of(session, "record", "documents", "messages")).Slice()
	if err == nil && len(reply) != 3 {
		err = errReply
	}
	if err != nil {
		return nil, nil, fmt.Errorf("redis: load: %w", err)
	}
	r, err := record(session, list(reply[0]), list(reply[1]))
	if err != nil {
		return nil, nil, fmt.Errorf("redis: load: %w", err)
	}
	messages, err := messages(list(reply[2]))
	if err != nil {
		return nil, nil, fmt.Errorf("redis: load: %w", err)
	}
	return r, messages, nil
}

func messages(entries []any) (all []state.Message, err error) {
	for _, e := range entries {
		id, fields, err := streamed(e)
		if err != nil {
			return nil, err
		}
		revision, err := number(fields["revision"])
		if err != nil {
			return nil, err
		}
		all = append(all, state.Message{ID: id, Name: fields["name"], Data: json.RawMessage(fields["data"]), Revision: revision})
	}
	return all, nil
}

// Changes returns the changes after a position.
func (d *Driver) Changes(
	ctx context.Context, session holdfast.SessionID, after state.Position, limit int,
) ([]state.Change, error) {
	reply, err := d.run(ctx, d.scripts.changes, d.keys.of(session, "record", "changes"), streamID(after.Revision+1), limit).Slice()
	if err != nil {
		return nil, fmt.Errorf("redis: changes: %w", err)
	}
	changes, err := follow(reply, after)
	if err != nil {
		return nil, fmt.Errorf("redis: changes: %w", err)
	}
	return changes, nil
}

// follow decodes what follows a position without a gap.
func follow(reply []any, after state.Position) ([]state.Change, error) {
	var now state.Position
	var entries []any
	if len(reply) == 3 && reply[0] != nil {
		revision, err := number(reply[1])
		if err != nil {
			return nil, err
		}
		now, entries = state.Position{Epoch: text(reply[0]), Revision: revision}, list(reply[2])
	}
	if now.Epoch != after.Epoch || now.Revision < after.Revision {
		return nil, state.ErrGap
	}
	if now.Revision == after.Revision {
		return nil, nil
	}
	changes, err := decodeChanges(entries)
	if err != nil {
		return nil, err
	}
	if len(changes) == 0 || changes[0].Revision != after.Revision+1 {
		return nil, state.ErrGap
	}
	return changes, nil
}

func decodeChanges(entries []any) ([]state.Change, error) {
	changes := make([]state.Change, len(entries))
	for i, e := range entries {
		_, fields, err := streamed(e)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(fields["body"]), &changes[i]); err != nil {
			return nil, fmt.Errorf("decode a change: %w", err)
		}
	}
	return changes, nil
}

// Listed returns the sessions that have tasks.
func (d *Driver) Listed(ctx context.Context) ([]state.Listed, error) {
	all, err := d.listed(ctx)
	if err != nil {
		return nil, fmt.Errorf("redis: listed: %w", err)
	}
	return all, nil
}

func (d *Driver) listed(ctx context.Context) (all []state.Listed, err error) {
	entries, err := d.entries(ctx, tasked, everything)
	if err != nil {
		return nil, err
	}
	err = d.each(ctx, entries, func(p goredis.Pipeliner, e entry) *goredis.Cmd {
		return d.scripts.listed.pipe(ctx, p, d.keys.of(e.session, "record", "lease"))
	}, func(e entry, reply []any) error {
		if len(reply) != 2 {
			return errReply
		}
		l := state.Listed{Session: e.session}
		if err := decode(reply[1], &l.Tasks); err != nil {
			return errors.Join(errReply, err)
		}
		switch {
		case len(l.Tasks) > 0:
			all = append(all, l)
		case !e.pending(reply[0]):
			return d.leave(ctx, tasked, e)
		}
		return nil
	}, nil)
	return all, err
}
