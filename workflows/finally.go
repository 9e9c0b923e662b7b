package workflows

import (
	"errors"
	"fmt"
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/wire"
)

// Finally registers a section that runs when the task ends: completed, failed or cancelled, but not when it continues as new
// and so has not ended. Several run last-registered-first, as with defer. Each runs exactly once, and with a context that
// the task's cancellation does not reach. An error of one does not keep the others from running; it fails a task that would
// otherwise have ended well.
//
// A task that is terminated from outside does not get to run anything itself. The state service knows the sections from the task's
// next call or pause of this package on, and runs them in its stead.
//
// It panics if it is called outside of a task or with a section that is not registered: there is no call left that could
// return the error, and the task would end without its clean-up. The panic fails the task.
func Finally[S any](ctx workflow.Context, section func(*holdfast.Tx, *S) error) {
	r, err := topRunOf(ctx, "Finally")
	if errors.Is(err, errLeaving) {
		return
	}
	if err != nil {
		panic(err)
	}
	handler, err := r.section(section, "Finally")
	if err != nil {
		panic(err)
	}
	r.finally = append(r.finally, handler)
}

// clean runs the Finally sections and returns the first of their errors.
func (r *run) clean(ctx workflow.Context) error {
	var first error
	for i, section := range slices.Backward(r.finally) {
		_, err := r.call(ctx, section, fmt.Sprintf("end.%d", i+1), nil, "finally")
		if err != nil && first == nil {
			first = err
		}
	}
	return first
}

// finallyNames are the names of the sections that are registered, in the order of registration.
func (r *run) finallyNames() []string {
	var names []string
	for _, handler := range r.finally {
		names = append(names, handler.Name())
	}
	return names
}

// tell tells the state service of Finally sections that no call of the task has named yet. It comes before the task waits, so
// that they run also when the task is terminated meanwhile.
func (r *run) tell(ctx workflow.Context) error {
	if r.level < wire.LevelTellsFinally || len(r.finally) <= r.carry.Told {
		return nil
	}
	const summary = "note the Finally sections"
	in := wire.RegisterInput{Session: r.session, Chain: r.chain, Finally: r.finallyNames()}
	if err := r.execute(ctx, wire.Register, in, summary, nil); err != nil {
		return err
	}
	r.told(len(in.Finally))
	return nil
}

// told notes that the state service knows of the first n Finally sections.
func (r *run) told(n int) { r.carry.Told = max(r.carry.Told, n) }
