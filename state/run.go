package state

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-run/holdfast"
)

// running is one section that has its session and runs.
type running struct {
	service *Service
	held    Held
	call    *Call
	ctx     context.Context // of the function
	cancel  context.CancelCauseFunc
	took    stopwatch
	renewal chan error // of the renewal under way; nil: there is none
	renewed time.Time  // when the last one began
}

// looks is how often within a lease a running section is looked after. It renews the hold twice
// within a lease at least.
const looks = 6

type ran struct {
	work *work
	err  error
}

// run calls the author's function, and the View of what it changed, on a goroutine of its own, so
// that one that never returns costs its caller no more than the deadline. Its late outcome is
// dropped: only what is returned here can be committed.
func (s *Service) run(ctx context.Context, held Held, call Call) (*work, error) {
	now := s.now()
	r := &running{service: s, held: held, call: &call, renewed: now, took: newStopwatch(s.opts.Deadline, s.opts.Lease/looks, now)}
	ctx, r.cancel = context.WithCancelCause(ctx)
	defer r.cancel(nil)
	r.ctx = withHeld(ctx, call.Session)
	done := make(chan ran, 1)
	go func() {
		defer close(done) // a function that leaves by runtime.Goexit sends nothing
		done <- r.function()
	}()
	result, err := r.keep(done)
	if err != nil {
		r.cancel(err)
	}
	if r.renewal != nil { // the hold is used by one goroutine at a time
		if lost := <-r.renewal; err == nil {
			err = lost
		}
	}
	switch {
	case err != nil:
		return nil, err
	case result.err == nil && result.work == nil:
		return nil, &holdfast.SectionError{Function: call.Handler.Type(), Err: errors.New("ended its goroutine with runtime.Goexit")}
	}
	return result.work, result.err
}

// function is all that is the author's.
func (r *running) function() ran {
	before := r.held.Record().Documents
	outcome, err := r.call.Handler.Run(r.ctx, r.call.Session, before, r.call.Input)
	if err != nil {
		return ran{err: err}
	}
	work, err := see(r.call, before, outcome)
	return ran{work, err}
}

// keep renews the hold until the function is done, has taken its time, or the hold is lost.
func (r *running) keep(done <-chan ran) (ran, error) {
	ticker := time.NewTicker(r.took.tick)
	defer ticker.Stop()
	for {
		select {
		case result := <-done:
			if r.took.pass(r.service.now()) { // it returned, but too late
				return ran{}, holdfast.ErrOverrun
			}
			return result, context.Cause(r.ctx)
		case <-r.ctx.Done():
			return ran{}, context.Cause(r.ctx)
		case err := <-r.renewal:
			r.renewal = nil
			if err != nil {
				return ran{}, err
			}
		case <-ticker.C:
			if r.took.pass(r.service.now()) {
				return ran{}, holdfast.ErrOverrun
			}
			r.renew()
		}
	}
}

// renew renews the hold when it is time, beside the function and its stopwatch.
func (r *running) renew() {
	lease := r.service.opts.Lease
	if r.renewal != nil || r.took.last.Sub(r.renewed) < lease/3 {
		return
	}
	r.renewed = r.took.last
	renewal := make(chan error, 1)
	r.renewal = renewal
	go func() { renewal <- renewHold(r.ctx, r.held, lease) }()
}

// renewHold gives up only on a hold that is lost. A store that does not answer may be back before the lease lapses, and if
// not, the commit tells.
func renewHold(ctx context.Context, held Held, lease time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, lease/3)
	defer cancel()
	if err := held.Renew(ctx, lease); errors.Is(err, holdfast.ErrLockExpired) {
		return fmt.Errorf("renew the lock: %w", err)
	}
	return nil
}
