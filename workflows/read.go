package workflows

import (
	"encoding/json"
	"reflect"

	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast/internal/wire"
)

// Read gives a copy of one of the session's states as it was committed last, without waiting for a lock. The copy is recorded in
// the history, so a replay sees the same. To change it changes nothing but the copy. What has to be decided and changed together
// belongs into a section.
func Read[S any](ctx workflow.Context) (S, error) {
	var state S
	r, err := runOf(ctx, "Read")
	if err != nil {
		return state, err
	}
	name, err := r.task.App().StateOf(reflect.TypeFor[S]())
	if err != nil {
		return state, misuse("workflows.Read: %v", err)
	}
	out, err := r.step(ctx, "read "+name, func(string) (out json.RawMessage, err error) {
		if err := r.tell(ctx); err != nil {
			return nil, err
		}
		err = r.execute(ctx, wire.Read, wire.ReadInput{Session: r.session, State: name}, "read "+name, &out)
		return out, err
	})
	if err != nil {
		return state, err
	}
	if err := json.Unmarshal(out, &state); err != nil {
		return state, misuse("workflows.Read: the state %s: %v", name, err)
	}
	return state, nil
}
