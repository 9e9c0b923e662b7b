package workflows

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/wire"
)

// Every runs the section, once now and then again and again at the interval, until it reports that there is no more to do.
// It is the loop of the original's background task:
//
//	for { section; sleep }
//
// The beat is kept: the pause makes up for the time that the section took. If a section took longer than the interval, the
// next one follows at once and the beat starts anew; missed beats are not made up for. Interval 0 means no pause at all.
//
// The loop has no end of its own: when the history has grown as far as the server suggests, the task continues as new and
// the loop goes on with its next iteration (see the package comment for what that asks of a task). Every iteration is applied
// exactly once. The errors are those of [Locked].
func Every[S any](ctx workflow.Context, interval time.Duration, section func(*holdfast.Tx, *S) (more bool, err error)) error {
	r, err := topRunOf(ctx, "Every")
	if err != nil {
		return err
	}
	if interval < 0 {
		return misuse("workflows.Every: the interval is %s; expected 0 or more", interval)
	}
	handler, err := r.section(section, "Every")
	if err != nil {
		return err
	}
	l, err := r.loop(ctx, handler, interval)
	if err != nil {
		return err
	}
	return l.repeat(ctx)
}

// Times is [Every] for a number of iterations that is known. The section gets the iteration as its input, from 0.
func Times[S any](ctx workflow.Context, n int, interval time.Duration, section func(*holdfast.Tx, *S, int) error) error {
	r, err := topRunOf(ctx, "Times")
	if err != nil {
		return err
	}
	if n < 0 || interval < 0 {
		return misuse("workflows.Times: %d iterations every %s; expected 0 or more of both", n, interval)
	}
	handler, err := r.section(section, "Times")
	if err != nil {
		return err
	}
	l, err := r.loop(ctx, handler, interval)
	if err != nil || n == 0 {
		return err
	}
	l.times = int64(n)
	return l.repeat(ctx)
}

// loop is one Every or Times of a run.
type loop struct {
	*run
	handler  *holdfast.Handler
	interval time.Duration
	times    int64 // iterations; 0: until the section says so
	place    int
	at       wire.Loop
}

// loop begins a loop, or takes up one that an earlier run of the chain began.
func (r *run) loop(ctx workflow.Context, handler *holdfast.Handler, interval time.Duration) (*loop, error) {
	l := &loop{run: r, handler: handler, interval: interval, place: r.next()}
	at, begun := r.carry.Loops[l.place]
	if !begun {
		at = wire.Loop{Name: handler.Name(), Due: workflow.Now(ctx)}
	}
	if at.Name != handler.Name() {
		return nil, misuse("the loop in place %d of task %s was over %q before the task continued as new and is over %q now",
			l.place, r.task.Type(), at.Name, handler.Name())
	}
	l.at = at
	return l, nil
}

func (l *loop) repeat(ctx workflow.Context) error {
	for first := true; !l.at.Done; first = false {
		// Never before the first iteration: each run of the chain must get on.
		if !first && l.long(ctx) {
			return l.leave()
		}
		if err := l.wait(ctx); err != nil {
			return err
		}
		if err := l.iterate(ctx); err != nil {
			return err
		}
	}
	return nil
}

// wait sleeps until the iteration is due.
func (l *loop) wait(ctx workflow.Context) error {
	return l.pause(ctx, l.at.Due.Sub(workflow.Now(ctx)), fmt.Sprintf("until iteration %d of %s", l.at.Iteration+1, l.handler.Name()))
}

// iterate runs the section once and notes where the loop stands.
func (l *loop) iterate(ctx workflow.Context) error {
	workflow.SetCurrentDetails(ctx, fmt.Sprintf("Iteration %d of %#q, every %s", l.at.Iteration+1, l.handler.Name(), l.interval))
	position := fmt.Sprintf("%d.%d", l.place, l.at.Iteration)
	out, err := l.call(ctx, l.handler, position, l.input(), fmt.Sprintf("iteration %d", l.at.Iteration+1))
	if err != nil {
		return err
	}
	l.at.Iteration++
	if l.times > 0 {
		l.at.Done = l.at.Iteration >= l.times
	} else if l.at.Done, err = over(out); err != nil {
		return misuse("workflows.Every: the result of %s: %v", l.handler.Name(), err)
	}
	l.at.Due = l.at.Due.Add(l.interval)
	if now := workflow.Now(ctx); l.at.Due.Before(now) {
		l.at.Due = now
	}
	l.carry.Loops[l.place] = l.at
	return nil
}

// input is that of a counted loop's section.
func (l *loop) input() json.RawMessage {
	if l.times == 0 {
		return nil
	}
	return json.RawMessage(strconv.FormatInt(l.at.Iteration, 10))
}

// over reads what an Every's section says.
func over(out json.RawMessage) (bool, error) {
	var more bool
	err := json.Unmarshal(out, &more)
	return !more, err //nolint:wrapcheck // its caller says what it read
}
