package statetest

import (
	"context"
	"errors"
	"strconv"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

// These cases go through the whole service: what was applied once is never applied again, however late the repeat.

func count(_ *holdfast.Tx, s *Count) error      { s.N++; return nil }
func welcome(_ *holdfast.Tx, s *Count) error    { s.N += 1000; return nil }
func work(workflow.Context) error               { return nil }
func startWork(tx *holdfast.Tx, _ *Count) error { tx.Start(work); return nil }
func ringTwice(tx *holdfast.Tx, _ *Count) error { tx.Trigger(ring); tx.Trigger(ring); return nil }
func ring(_ *holdfast.Tx, s *Count) error       { s.N++; return nil }

func (b *bench) forgetAll(expiry state.Expiry) {
	b.Helper()
	_, err := b.Expire(b.Context(), expiry)
	b.must(err)
}

// serving is a service on the store, as a process has it.
type serving struct {
	*bench
	*state.Service
	app *holdfast.App
}

func (b *bench) serve(driver state.Driver) *serving {
	b.Helper()
	s := &serving{bench: b, Service: state.Open(driver, state.Options{}), app: holdfast.NewApp("test", Count{})}
	s.app.OnLoad(welcome)
	s.app.Events(ring)
	s.app.Tasks(work)
	b.must(s.app.Check())
	b.Cleanup(func() { _ = s.Service.Close() })
	return s
}

// second is another process's driver, where the store can have one.
func (b *bench) second() state.Driver {
	b.Helper()
	if b.store.Shared {
		return opened(b, b.store)
	}
	return b.Driver
}

func (s *serving) call(fn any, key state.Key) state.Call {
	s.Helper()
	handler, err := s.app.Handler(fn)
	s.must(err)
	return state.Call{Handler: handler, Session: session, Key: key}
}

func (s *serving) applies(call state.Call, want bool) {
	s.Helper()
	applied, err := s.Apply(s.Context(), call)
	s.must(err)
	s.is(!applied.Repeat, want, "whether the call "+call.Key.Position+" is applied")
}

func (s *serving) refuses(call state.Call, want error) {
	s.Helper()
	if _, err := s.Apply(s.Context(), call); !errors.Is(err, want) {
		s.Fatalf("call %s: expected %v, got %v", call.Key.Position, want, err)
	}
}

// counts is how far the session has counted.
func (s *serving) counts(want int) {
	s.Helper()
	n := 0
	s.must(s.View(s.Context(), s.app, session, func(_ *holdfast.Tx, c *Count) error { n = c.N; return nil }))
	s.is(n, want, "the count")
}

func (s *serving) joins(page state.PageLoad) (epoch string) {
	s.Helper()
	epoch, err := s.Join(s.Context(), s.app, session, page)
	s.must(err)
	return epoch
}

// testOnceEvents: a starter holds events back while the page sends them, and many more, through another one.
func testOnceEvents(b *bench) {
	const held, sent = 20, 300
	late, now := b.serve(b), b.serve(b.second())
	late.joins(state.PageLoad{Client: "page"})
	for id := int64(1); id <= sent; id++ {
		now.applies(now.call(count, state.PageKey("page", id)), true)
	}
	for id := int64(1); id <= held; id++ {
		late.refuses(late.call(count, state.PageKey("page", id)), state.ErrForgotten)
	}
	late.applies(late.call(count, state.PageKey("page", sent)), false)
	late.counts(sent)
}

// testOnceLoad: an open page whose mark was forgotten is neither welcomed again nor are its events applied again.
func testOnceLoad(b *bench) {
	s := b.serve(b)
	epoch := s.joins(state.PageLoad{Client: "page"})
	s.applies(s.call(welcome, state.LoadKey("page", "welcome")), true)
	s.applies(s.call(count, state.PageKey("page", 1)), true)
	b.forgetAll(state.Expiry{Idle: time.Hour, Ledger: -time.Hour})
	s.refuses(s.call(count, state.PageKey("page", 1)), state.ErrForgotten)
	s.is(s.joins(state.PageLoad{Client: "page", Sent: 1, Loaded: true, Epoch: epoch}), epoch, "the epoch")
	s.refuses(s.call(count, state.PageKey("page", 1)), state.ErrForgotten)
	s.applies(s.call(welcome, state.LoadKey("page", "welcome")), false)
	s.applies(s.call(count, state.PageKey("page", 2)), true)
	s.counts(1002)
}

// testOnceInOneLife: the session expired, and the page sends again what it had not heard of.
func testOnceInOneLife(b *bench) {
	s := b.serve(b)
	epoch := s.joins(state.PageLoad{Client: "page"})
	event := s.call(count, state.PageKey("page", 1))
	event.Epoch = epoch
	s.applies(event, true)
	b.forgetAll(state.Expiry{Idle: -time.Hour, Ledger: time.Hour})
	s.refuses(event, state.ErrOtherEpoch)
	if next := s.joins(state.PageLoad{Client: "page", Sent: 1, Loaded: true, Epoch: epoch}); next == epoch {
		s.Fatal("the session that was created anew has the epoch of the one that expired")
	}
	s.refuses(event, state.ErrOtherEpoch)
	event.Epoch = ""
	s.refuses(event, state.ErrForgotten)
	s.counts(0)
}

// testOnceTrigger: a relay that stood still does a row again whose event was applied, or has failed, a day ago.
func testOnceTrigger(b *bench) {
	s := b.serve(b)
	s.applies(s.call(ringTwice, state.Key{}), true)
	rows, err := s.Outbox(s.Context(), 10)
	s.must(err)
	call := s.call(ring, state.Key{})
	call.Settles = rows[0].ID
	s.applies(call, true)
	s.must(s.EventFailed(s.Context(), rows[1], "no bell"))
	b.forgetAll(state.Expiry{Idle: time.Hour, Ledger: -time.Hour})
	for _, row := range rows {
		call.Settles = row.ID
		s.applies(call, false)
		s.must(s.EventFailed(s.Context(), row, "no bell"))
	}
	_, messages, err := b.Load(b.Context(), session)
	s.must(err)
	s.is(len(messages), 1, "messages of failed events")
	s.counts(1)
}

// started is a task that is listed as running.
func (s *serving) started() holdfast.TaskID {
	s.Helper()
	s.applies(s.call(startWork, state.Key{}), true)
	rows, err := s.Outbox(s.Context(), 1)
	s.must(err)
	_, err = s.TasksStarted(s.Context(), session, rows[0].Task)
	s.must(err)
	return rows[0].Task
}

// of is call number seq of a run of the task.
func (s *serving) of(id holdfast.TaskID, run string, seq int64) state.Call {
	s.Helper()
	call := s.call(count, state.Key{Owner: string(id), Position: strconv.FormatInt(seq, 10), Seq: seq})
	call.Task, call.Run = id, run
	return call
}

// testOnceSections: a worker stood still while another went on beyond what the ledger keeps.
func testOnceSections(b *bench) {
	late, now := b.serve(b), b.serve(b.second())
	id := now.started()
	for seq := int64(1); seq <= 20; seq++ {
		call := now.of(id, "run", seq)
		call.Key.Forget = seq - 5
		now.applies(call, true)
	}
	for seq := int64(1); seq <= 15; seq++ {
		late.refuses(late.of(id, "run", seq), state.ErrForgotten)
	}
	for seq := int64(16); seq <= 20; seq++ {
		late.applies(late.of(id, "run", seq), false)
	}
	late.counts(20)
}

// gated is a driver whose holds have to be waited for.
type gated struct {
	state.Driver
	waits, open chan struct{}
}

func (g *gated) Acquire(ctx context.Context, claim state.Claim) (state.Held, error) {
	close(g.waits)
	<-g.open
	return g.Driver.Acquire(ctx, claim)
}

// testOnceEnded: the task ends while one of its sections waits for the session. A run that it is reset to is let in.
func testOnceEnded(b *bench) {
	gate := &gated{Driver: b.second(), waits: make(chan struct{}), open: make(chan struct{})}
	late, now := b.serve(gate), b.serve(b)
	id := now.started()
	now.applies(now.of(id, "run", 1), true)
	ended := make(chan error)
	go func() {
		_, err := late.Apply(b.Context(), late.of(id, "run", 2))
		ended <- err
	}()
	<-gate.waits
	b.must(now.TaskEnded(b.Context(), session, id, "run", ""))
	close(gate.open)
	if err := <-ended; !errors.Is(err, holdfast.ErrTaskEnded) {
		b.Fatalf("a section of a task that has ended: expected ErrTaskEnded, got %v", err)
	}
	now.lists(0)
	now.counts(1)

	now.refuses(now.of(id, "reset", 2), state.ErrTaskNotListed)
	known := now.of(id, "reset", 2)
	known.Relist = true
	now.applies(known, true)
	now.lists(1)
	now.applies(now.of(id, "reset", 3), true)
	now.refuses(now.of(id, "run", 4), holdfast.ErrTaskEnded)
	now.counts(3)
	b.forgetAll(state.Expiry{Idle: time.Hour, Ledger: -time.Hour})
	now.refuses(now.of(id, "run", 4), holdfast.ErrTaskEnded) // a listed task is not forgotten
}

func (s *serving) lists(want int) {
	s.Helper()
	tasks, err := s.TasksOf(s.Context(), session)
	s.must(err)
	s.is(len(tasks), want, "listed tasks")
}
