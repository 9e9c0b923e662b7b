package statetest

import (
	"context"
	"errors"
	"time"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

// faulty loses answers, lets others act at the worst moments, and tells the model what was committed.
type faulty struct {
	state.Driver
	m *model
}

type faultyHold struct {
	state.Held
	m *model
	a *attempt
}

// Acquire lets others act before the session is had.
func (f *faulty) Acquire(ctx context.Context, claim state.Claim) (state.Held, error) {
	a, ours := ctx.Value(attemptKey{}).(*attempt)
	if !ours {
		return f.Driver.Acquire(ctx, claim)
	}
	if f.m.chance(8) {
		f.m.meanwhile()
	}
	held, err := f.Driver.Acquire(ctx, claim)
	if err != nil {
		return nil, err
	}
	if a.judge != nil {
		a.want = a.judge()
	}
	return &faultyHold{held, f.m, a}, nil
}

// Commit is lost before or after it is done, comes too late, or while sessions expire.
func (h *faultyHold) Commit(ctx context.Context, c *state.Commit) error {
	switch h.m.random.IntN(12) {
	case 0:
		return errInjected
	case 1:
		if err := h.write(ctx, c); err != nil {
			return err
		}
		return errInjected
	case 2: // it has lost the session, and does not know
		h.Held.Release()
		h.m.meanwhile()
		if err := h.Held.Commit(ctx, c); !errors.Is(err, holdfast.ErrLockExpired) {
			h.m.bad("a stale holder commits: %v", err)
		}
		return holdfast.ErrLockExpired
	case 3: // it holds the session: that stays
		_, err := h.m.Expire(ctx, state.Expiry{Idle: -time.Hour, Ledger: time.Hour})
		h.m.must(err)
	}
	return h.write(ctx, c)
}

func (h *faultyHold) write(ctx context.Context, c *state.Commit) error {
	m, r := h.m, h.Record()
	if err := h.Held.Commit(ctx, c); err != nil {
		m.bad("a holder cannot commit: %v", err)
	}
	if r.Epoch != m.epoch || r.Revision != m.revision {
		m.bad("the holder saw %s %d, the session was at %s %d", r.Epoch, r.Revision, m.epoch, m.revision)
	}
	if c.Change != nil && c.Revision != m.revision+1 {
		m.bad("revision %d follows %d", c.Revision, m.revision)
	}
	m.epoch, m.revision = c.Epoch, c.Revision
	for _, id := range c.Settled {
		delete(m.rows, id)
	}
	for _, row := range c.Pending {
		m.rows[row.ID] = row
		m.old = append(m.old, row)
		if row.Kind == state.KindStart {
			m.tasks = append(m.tasks, newModelTask(row.Task))
		}
	}
	m.applied[h.a.id]++
	h.a.wrote = true
	if h.a.effect != nil {
		h.a.effect()
	}
	return nil
}

func (m *model) chance(n int) bool { return m.random.IntN(n) == 0 }

// meanwhile lets the other service act while the first is held up.
func (m *model) meanwhile() {
	if m.depth > 0 {
		return
	}
	m.depth++
	m.note("meanwhile:")
	for range 1 + m.random.IntN(3) {
		m.step()
	}
	m.note("then:")
	m.depth--
}

// expire forgets silent owners, or removes the session if nothing needs it.
func (m *model) expire() {
	if m.chance(2) {
		m.note("forget owners")
		m.forgetAll(state.Expiry{Idle: time.Hour, Ledger: -time.Hour})
		m.forgotten(func(t *modelTask) bool { return t.status == "" })
		return
	}
	removed, err := m.Expire(m.Context(), state.Expiry{Idle: -time.Hour, Ledger: time.Hour})
	m.must(err)
	needed := len(m.rows) > 0
	for _, t := range m.tasks {
		needed = needed || t.status != ""
	}
	m.note("expire: %d removed", removed)
	if needed == (removed > 0) && m.epoch != "" {
		m.bad("%d sessions were removed, although the session is needed: %v", removed, needed)
	}
	if removed > 0 {
		m.epoch, m.revision = "", 0
		m.forgotten(func(*modelTask) bool { return true })
	}
}

// forgotten has pages, and those tasks, lose their marks.
func (m *model) forgotten(task func(*modelTask) bool) {
	for _, p := range m.pages {
		p.known = false
	}
	for _, t := range m.tasks {
		if task(t) {
			t.known, t.never, t.floor = 0, false, 0
			t.past, t.tombs, t.entries = map[int]bool{}, map[int]bool{}, map[int64]bool{}
		}
	}
}

// forgetModel removes what an earlier seed has left.
func (b *bench) forgetModel() {
	held := b.hold(b.Driver, session, long)
	record := held.Record()
	if record.Epoch == "" {
		held.Release()
		return
	}
	c := next(held, 0)
	c.Documents, c.Change, c.Revision, c.TasksChanged = nil, nil, record.Revision, true
	rows, err := b.Outbox(b.Context(), 10_000)
	b.must(err)
	for _, row := range rows {
		c.Settled = append(c.Settled, row.ID)
	}
	b.must(held.Commit(b.Context(), c))
	b.forgetAll(state.Expiry{Idle: -time.Hour, Ledger: time.Hour})
}
