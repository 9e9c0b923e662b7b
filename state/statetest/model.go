package statetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

// The model knows the contracts alone: what was applied is applied once, what must not run does not, and what an open run or a
// page asks for that is new is applied. A seed fixes its steps and faults, so that a failure comes again.

// modelSteps is how many steps are made with each of modelSeeds.
const modelSteps = 100

var modelSeeds = []uint64{1, 2}

type model struct {
	*bench
	random   *rand.Rand
	services [2]*serving // the second acts while the first is held up
	depth    int         // 1 while it does
	trail    []string    // the last steps

	epoch    string // of the session as it should be; empty: none
	revision int64
	applied  map[string]int // commits of each call
	rows     map[string]state.Pending
	old      []state.Pending // rows that a slow relay remembers
	pages    []*modelPage
	tasks    []*modelTask
}

// modelPage is one load of a page.
type modelPage struct {
	client            string
	sent, high, floor int64
	epoch             string // as the page knows it
	known             bool   // it has a mark
	done              map[int64]bool
}

// modelTask is a task. Its runs count from 1.
type modelTask struct {
	id          holdfast.TaskID
	status      state.Status // empty: not listed
	run         int          // the last one that Temporal has
	open, never bool
	known       int          // the run that the session takes for the current one
	past        map[int]bool // those that it knows to have been before
	tombs       map[int]bool // runs of which it heard that they ended
	seq, floor  int64
	done        map[int64]bool // what was applied, ever
	entries     map[int64]bool // and what the ledger knows of it
	first       map[int]int64  // the first number of each run
}

// attempt is one call on its way.
type attempt struct {
	id     string
	call   state.Call
	judge  func() verdict // asked when the session is held
	effect func()         // of its commit, on the model
	want   verdict
	wrote  bool
}

// verdict is what has to become of a call.
type verdict string

const (
	mustApply  verdict = "applied"
	mustRepeat verdict = "answered from the ledger"
	mustRefuse verdict = "refused"
	mayApply   verdict = "applied or refused"
)

var errInjected = errors.New("the answer was lost")

type attemptKey struct{}

func testModel(b *bench) {
	for _, seed := range modelSeeds {
		m := &model{bench: b, random: rand.New(rand.NewPCG(seed, 0)), applied: map[string]int{}, rows: map[string]state.Pending{}} //nolint:gosec // no secret
		b.forgetModel()
		m.services = [2]*serving{b.serve(&faulty{b.Driver, m}), b.serve(&faulty{b.second(), m})}
		for i := range 2 {
			m.pages = append(m.pages, &modelPage{client: fmt.Sprint("model", seed, i), done: map[int64]bool{}})
		}
		for range modelSteps {
			m.step()
			m.compare()
		}
		m.drain()
		if b.Failed() {
			b.Fatalf("seed %d, last steps: %q", seed, m.trail)
		}
	}
}

// attempt makes a call and holds the outcome against what the model wants.
func (m *model) attempt(s *serving, a *attempt, do func(ctx context.Context) (repeat bool, err error)) error {
	a.want, a.wrote = "", false
	before := m.applied[a.id]
	repeat, err := do(context.WithValue(m.Context(), attemptKey{}, a))
	m.note("%s by %d: want %s, repeat %v, err %v", a.id, slices.Index(m.services[:], s), a.want, repeat, err)
	lost := errors.Is(err, errInjected) || errors.Is(err, holdfast.ErrLockExpired)
	switch {
	case m.applied[a.id] > 1:
		m.bad("%s was applied twice", a.id)
	case a.wrote && a.want != mustApply && a.want != mayApply:
		m.bad("%s was applied, should be %s", a.id, a.want)
	case lost: // unknown
	case err == nil && !repeat && !a.wrote, err != nil && a.wrote:
		m.bad("%s was applied: %v, but the answer is %v", a.id, a.wrote, err)
	case a.want == mustApply && !a.wrote:
		m.bad("%s must be applied, got repeat %v, %v", a.id, repeat, err)
	case a.want == mustRepeat && (!repeat || before+m.applied[a.id] == 0):
		m.bad("%s must be %s, got %v", a.id, a.want, err)
	case a.want == mustRefuse && err == nil:
		m.bad("%s must be refused", a.id)
	case repeat && m.applied[a.id] != 1:
		m.bad("%s is a repeat of what never was", a.id)
	}
	return err
}

// insist repeats what may be repeated until it is heard.
func (m *model) insist(what string, effect func(), do func(ctx context.Context) error) {
	a := &attempt{id: what, effect: effect}
	for range 50 {
		err := do(context.WithValue(m.Context(), attemptKey{}, a))
		m.note("%s: %v", what, err)
		if !errors.Is(err, errInjected) && !errors.Is(err, holdfast.ErrLockExpired) {
			m.must(err)
			return
		}
	}
	m.bad("%s fails for good", what)
}

func (m *model) note(format string, args ...any) {
	m.trail = append(m.trail, fmt.Sprintf(format, args...))
	m.trail = m.trail[max(0, len(m.trail)-12):]
}

func (m *model) bad(format string, args ...any) {
	m.Helper()
	m.Fatalf("%s\nlast steps: %q", fmt.Sprintf(format, args...), m.trail)
}

// compare holds what the store has against the model.
func (m *model) compare() {
	record, _, err := m.Load(m.Context(), session)
	m.must(err)
	got, want := []string{}, []string{}
	for _, t := range record.Tasks {
		got = append(got, string(t.ID)+" "+string(t.Status))
	}
	for _, t := range m.tasks {
		if t.status != "" {
			want = append(want, string(t.id)+" "+string(t.status))
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	rows, err := m.Outbox(m.Context(), 10_000)
	m.must(err)
	for _, row := range rows {
		if _, found := m.rows[row.ID]; !found {
			m.bad("row %s of the outbox was settled", row.ID)
		}
	}
	switch {
	case record.Epoch != m.epoch || record.Revision != m.revision:
		m.bad("the session is at %s %d, should be at %s %d", record.Epoch, record.Revision, m.epoch, m.revision)
	case !slices.Equal(got, want):
		m.bad("listed are %q, should be %q", got, want)
	case len(rows) != len(m.rows):
		m.bad("%d rows in the outbox, should be %d", len(rows), len(m.rows))
	}
}
