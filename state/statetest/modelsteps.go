package statetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

func newModelTask(id holdfast.TaskID) *modelTask {
	return &modelTask{
		id: id, status: state.StatusStarting, tombs: map[int]bool{}, past: map[int]bool{}, done: map[int64]bool{},
		entries: map[int64]bool{}, first: map[int]int64{},
	}
}

// step does one thing that may happen.
func (m *model) step() {
	s := m.services[m.depth]
	page := m.pages[m.random.IntN(len(m.pages))]
	switch m.random.IntN(12) {
	case 0, 1, 2:
		m.event(s, page)
	case 3:
		m.resend(s, page)
	case 4, 5, 6:
		m.section(s)
	case 7, 8:
		m.relay(s)
	case 9:
		m.end(s)
	case 10:
		m.cancel(s, page)
	case 11:
		if m.depth > 0 || m.chance(3) {
			m.expire()
		}
	}
}

// event is a new event of the page, after numbers that were refused.
func (m *model) event(s *serving, p *modelPage) {
	const gap = 300
	if p.sent++; m.chance(5) {
		p.sent += m.random.Int64N(gap)
	}
	fns := []any{count, count, ring, startWork, ringTwice}
	m.send(s, p, p.sent, fns[m.random.IntN(len(fns))])
}

// resend sends an event again, mostly of about the age up to which pages are known.
func (m *model) resend(s *serving, p *modelPage) {
	const window, around = 256, 4
	id := p.high - window - around/2 + m.random.Int64N(around+1)
	if m.chance(2) {
		id = p.high - m.random.Int64N(2*window)
	}
	if id > 0 {
		m.send(s, p, id, count)
	}
}

func (m *model) send(s *serving, p *modelPage, id int64, fn any) {
	call := s.call(fn, state.PageKey(p.client, id))
	call.Epoch = p.epoch
	a := m.ofPage(p, id, p.epoch)
	err := m.attempt(s, a, func(ctx context.Context) (bool, error) {
		applied, err := s.Apply(ctx, call)
		return applied.Repeat, err
	})
	if errors.Is(err, state.ErrOtherEpoch) || errors.Is(err, state.ErrForgotten) {
		m.join(s, p)
	}
}

// ofPage is a call of the page with that number.
func (m *model) ofPage(p *modelPage, id int64, epoch string) *attempt {
	const window = 256
	return &attempt{
		id: fmt.Sprint(p.client, " ", id),
		judge: func() verdict {
			switch {
			case epoch != "" && epoch != m.epoch, !p.known, id <= p.floor, id <= p.high-window, id <= p.high && !p.done[id]:
				return mustRefuse
			case p.done[id]:
				return mustRepeat
			}
			return mustApply
		},
		effect: func() { p.known, p.high, p.done[id] = true, id, true },
	}
}

func (m *model) join(s *serving, p *modelPage) {
	load := state.PageLoad{Client: p.client, Sent: p.sent, Loaded: p.epoch != "", Epoch: p.epoch}
	effect := func() { p.known, p.high, p.floor = true, load.Sent, load.Sent }
	m.insist("join of "+p.client, effect, func(ctx context.Context) (err error) {
		p.epoch, err = s.Join(ctx, s.app, session, load)
		return err
	})
}

// section is a call of a task: a new one of the open run, or an old one of any run, asked for by either service.
func (m *model) section(s *serving) {
	if len(m.tasks) == 0 {
		return
	}
	t := m.tasks[m.random.IntN(len(m.tasks))]
	if t.run == 0 {
		return
	}
	run, seq := t.run, t.seq+1
	if m.chance(2) {
		run = 1 + m.random.IntN(t.run)
	}
	if t.first[run] == 0 {
		t.first[run] = seq
	}
	if run != t.run || m.chance(2) { // again, or late
		seq = t.first[run] + m.random.Int64N(max(1, t.seq+2-t.first[run]))
	}
	t.seq = max(t.seq, seq)
	call := s.of(t.id, "run"+strconv.Itoa(run), seq)
	if m.chance(2) {
		call.Key.Forget = max(0, seq-1-m.random.Int64N(3))
	}
	a := m.ofTask(t, run, call.Key)
	err := m.attempt(s, a, func(ctx context.Context) (bool, error) {
		applied, err := s.Apply(ctx, call)
		if errors.Is(err, state.ErrTaskNotListed) && t.open && run == t.run {
			call.Relist = true
			applied, err = s.Apply(ctx, call)
		}
		return applied.Repeat, err
	})
	if errors.Is(err, errInjected) && t.open && run == t.run { // it is asked for again
		_ = m.attempt(s, a, func(ctx context.Context) (bool, error) {
			applied, err := s.Apply(ctx, call)
			return applied.Repeat, err
		})
	}
}

func (m *model) ofTask(t *modelTask, run int, key state.Key) *attempt {
	return &attempt{
		id: fmt.Sprint(t.id, " ", key.Seq),
		judge: func() verdict {
			switch {
			case t.entries[key.Seq] && key.Seq > t.floor:
				return mustRepeat
			case t.done[key.Seq], key.Seq <= t.floor, t.never, t.tombs[run]:
				return mustRefuse
			case run == t.run && t.open: // whatever has been said of others
				return mustApply
			case t.past[run]:
				return mustRefuse
			}
			return mayApply
		},
		effect: func() {
			t.past[t.known], t.past[run] = true, false
			t.known, t.floor, t.done[key.Seq], t.entries[key.Seq] = run, max(t.floor, key.Forget), true, true
			if t.status == "" || t.status == state.StatusStarting {
				t.status = state.StatusRunning
			}
		},
	}
}

// end is a run that ends, by itself or terminated, or a reset of one that has.
func (m *model) end(s *serving) {
	if len(m.tasks) == 0 {
		return
	}
	t := m.tasks[m.random.IntN(len(m.tasks))]
	switch {
	case t.run == 0:
		return
	case !t.open && !t.never && t.tombs[t.run] && t.run < 12 && m.chance(2):
		t.run, t.open = t.run+1, true
		m.note("reset %s", t.id)
		return
	case m.chance(3):
		t.open = false
	}
	run := t.run
	if m.chance(3) { // a word that comes late
		run = 1 + m.random.IntN(t.run)
	}
	if run == t.run {
		t.open = false
	}
	ends := m.services[m.depth].TaskEndedAs
	if m.chance(2) {
		ends = s.TaskLost
	}
	effect := func() {
		if t.past[run] {
			return
		}
		if run != t.known && t.tombs[t.known] {
			t.past[t.known] = true
		}
		t.known, t.status, t.tombs[run] = run, "", true
	}
	m.insist(fmt.Sprint("end of ", t.id, " run", run), effect, func(ctx context.Context) error {
		return ends(ctx, session, t.id, "run"+strconv.Itoa(run), "", "")
	})
}

func (m *model) cancel(s *serving, p *modelPage) {
	if p.epoch == "" {
		return
	}
	p.sent++
	a := m.ofPage(p, p.sent, "")
	applies := a.effect
	a.effect = func() {
		applies()
		for _, t := range m.tasks {
			switch t.status {
			case state.StatusStarting:
				t.status, t.never = "", true
			case state.StatusRunning:
				t.status = state.StatusCancelling
			}
		}
	}
	_ = m.attempt(s, a, func(ctx context.Context) (bool, error) {
		err := s.Cancel(ctx, session, state.PageKey(p.client, p.sent), "", "by hand")
		return err == nil && !a.wrote, err
	})
}

// relay does a row of the outbox, perhaps one that was done long ago.
func (m *model) relay(s *serving) {
	if len(m.old) == 0 {
		return
	}
	row := m.old[m.random.IntN(len(m.old))]
	t := m.taskOf(row.Task)
	switch row.Kind {
	case state.KindTrigger:
		m.trigger(s, row)
	case state.KindStart:
		if _, waits := m.rows[row.ID]; waits && t.run == 0 {
			t.run, t.open = 1, true
		}
		m.insist("start of "+row.ID, func() {
			if t.status == state.StatusStarting {
				t.status = state.StatusRunning
			}
		}, func(ctx context.Context) error {
			_, err := s.TasksStarted(ctx, session, row.Task)
			return err
		})
	default:
		m.insist("settle "+row.ID, nil, func(ctx context.Context) error { return s.Settle(ctx, session, row.ID) })
	}
}

func (m *model) trigger(s *serving, row state.Pending) {
	call := s.call(ring, state.Key{})
	call.Settles = row.ID
	a := &attempt{id: row.ID, judge: func() verdict {
		if _, waits := m.rows[row.ID]; waits {
			return mustApply
		}
		return mustRepeat
	}}
	_ = m.attempt(s, a, func(ctx context.Context) (bool, error) {
		applied, err := s.Apply(ctx, call)
		return applied.Repeat, err
	})
}

func (m *model) taskOf(id holdfast.TaskID) *modelTask {
	if i := slices.IndexFunc(m.tasks, func(t *modelTask) bool { return t.id == id }); i >= 0 {
		return m.tasks[i]
	}
	return nil
}

// drain does all that is left: each row is done once.
func (m *model) drain() {
	for range 50 * (len(m.rows) + 1) {
		for _, row := range m.rows {
			m.old = []state.Pending{row}
			m.relay(m.services[0])
			break
		}
	}
	if len(m.rows) > 0 {
		m.bad("%d rows are left", len(m.rows))
	}
}
