package state

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/holdfast-run/holdfast"
)

// Applied is what a call came to.
type Applied struct {
	// Result is what the function returned beside its error, as JSON, or nil.
	Result json.RawMessage
	// Revision is one that includes the call's changes.
	Revision int64
	// Repeat reports that the call had been applied before and was answered from the ledger. An event has no result then.
	Repeat bool
	// Requests is how many tasks and events the call asked for; 0 for a repeat.
	Requests int
}

// Apply runs an event or section with the session's state locked and commits what it did, or, for a key that was applied
// before, answers with the recorded result. It waits for the session as long as ctx lives; the section's deadline counts from
// when it has it.
//
// Errors: [holdfast.ErrNestedSection] within a section of the same session, at once; [holdfast.ErrLockExpired] for a lost
// lock and [holdfast.ErrOverrun] for a missed deadline; [holdfast.ErrBadArgument], [holdfast.SectionError] and
// [holdfast.PanicError] from the function. Text that cannot be stored (a NUL in a name, anything that is not UTF-8) is a bad argument in a
// key and a section's error in what the section did. [ErrForgotten], [ErrOtherEpoch] and [holdfast.ErrTaskEnded] are those of a call
// that must not run any more. With these nothing was committed, and none but a lost lock is worth a retry; [ErrTaskNotListed] is
// worth one with Relist.
// Any other error is a fault of the store or the end of ctx: only a repeat with the same Key tells what happened.
func (s *Service) Apply(ctx context.Context, call Call) (Applied, error) {
	if err := call.check(); err != nil {
		return Applied{}, err
	}
	ctx, seen := s.observe(ctx, &call)
	applied, err := s.apply(ctx, call, seen)
	seen.end(ctx, applied, err)
	if err != nil {
		return Applied{}, fmt.Errorf("apply %s to session %s: %w", call.Handler.Type(), call.Session, err)
	}
	return applied, nil
}

func (s *Service) apply(ctx context.Context, call Call, seen *observed) (applied Applied, err error) {
	err = s.hold(ctx, call.claim(), func(held Held) (*Commit, error) {
		seen.lock()
		record := held.Record()
		applied = Applied{Revision: record.Revision}
		admission, err := admit(held, &call)
		if err != nil {
			return nil, err
		}
		if admission.repeat {
			applied.Result, applied.Repeat, seen.outcome = admission.result, true, outcomeRepeated
			return nil, nil
		}
		work, err := s.run(ctx, held, call)
		if err != nil {
			return nil, err
		}
		if work.outcome.Changes() {
			seen.outcome = outcomeApplied
		}
		commit := s.plan(ctx, record, call, admission, work)
		if commit == nil {
			return nil, nil
		}
		applied.Result, applied.Revision, applied.Requests = work.outcome.Result, commit.Revision, len(work.outcome.Requests)
		return commit, nil
	})
	return applied, err
}

// Do runs a function of a section's signature with the session's state locked, from any Go code; each call is applied.
// It is to events and tasks what Reflex's app.modify_state is: the same lock, one change. The errors are those of
// [Service.Apply].
func (s *Service) Do(ctx context.Context, app *holdfast.App, session holdfast.SessionID, fn any) error {
	handler, err := app.Handler(fn)
	if err != nil {
		return err
	}
	_, err = s.Apply(ctx, Call{Handler: handler, Session: session})
	return err
}

// View gives the function a copy of the last committed state, without waiting for a lock. It has a section's signature; a
// change to the state, a start or a message in it is [holdfast.ErrImmutableState], and nothing is kept. The error wraps
// [holdfast.ErrBadArgument] for a session that is not one of the app.
func (s *Service) View(ctx context.Context, app *holdfast.App, session holdfast.SessionID, fn any) error {
	handler, err := app.Handler(fn)
	if err != nil {
		return err
	}
	if err := checkSession(app, session); err != nil {
		return fmt.Errorf("view: %w", err)
	}
	record, _, err := s.driver.Load(ctx, session)
	if err != nil {
		return fmt.Errorf("view session %s: %w", session, err)
	}
	if err := handler.Look(ctx, session, record.Documents); err != nil {
		return fmt.Errorf("view session %s: %w", session, err)
	}
	return nil
}

// hold runs step with the session held and commits what it returns; nil means there is nothing to commit. The change is
// published when the hold has ended.
func (s *Service) hold(ctx context.Context, claim Claim, step func(Held) (*Commit, error)) error {
	session := claim.Session
	if holds(ctx, session) {
		return holdfast.ErrNestedSection
	}
	began := time.Now()
	leave, err := s.queue.enter(ctx, session)
	if err != nil {
		return fmt.Errorf("wait for the session: %w", err)
	}
	defer leave()
	claim.Lease = s.opts.Lease
	held, err := s.driver.Acquire(ctx, claim)
	if err != nil {
		return fmt.Errorf("lock the session: %w", err)
	}
	defer held.Release()
	s.metrics.waited(ctx, session, began)
	commit, err := step(held)
	if err != nil || commit == nil {
		return err
	}
	if err := s.commit(ctx, held, commit); err != nil {
		return err
	}
	s.metrics.committed(ctx, session, commit.tallies)
	s.hub.tell(Notice{Session: session, Outbox: len(commit.Pending) > 0})
	return nil
}

// commit writes. The caller's ctx no longer counts: to give up now would only leave it open whether the commit happened.
func (s *Service) commit(ctx context.Context, held Held, commit *Commit) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.opts.Deadline)
	defer cancel()
	if err := held.Commit(ctx, commit); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}
