package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/holdfast-run/holdfast"
)

var (
	// ErrForgotten reports a call whose outcome the ledger no longer knows, or of which it knows that it was refused
	// before: an event of a page that a later one has overtaken. It is never run.
	ErrForgotten = errors.New("the call was refused before, or its outcome is no longer known")

	// ErrTaskNotListed reports a call of a task's run that the session does not know: the task is on no list, or
	// another run of it is. A caller that knows the run to be open repeats the call with Relist.
	ErrTaskNotListed = errors.New("the session does not know this run of the task")

	// ErrOtherEpoch reports an event of a page that was sent in another life of the session. It did not run.
	ErrOtherEpoch = errors.New("the event belongs to an earlier life of the session")
)

// claim asks for the session and for all that the ledger knows of the call.
func (c *Call) claim() Claim {
	claim := Claim{Session: c.Session, Key: c.Key.entry(), Owner: c.Key.Owner, Row: c.Settles}
	if claim.Owner == "" {
		claim.Owner = string(c.Task)
	}
	return claim
}

// admission is what the ledger says to a call.
type admission struct {
	// repeat: it was applied before, with this result.
	repeat bool
	result json.RawMessage

	owner  string
	mark   any  // of the owner, as it is once the call is applied; nil: as it was
	entry  bool // the call gets an entry
	relist bool // its task is to be on the list
}

// admit looks the call up, with the session held. The error is that of a call that must not run.
func admit(held Held, call *Call) (*admission, error) {
	if result, found := held.Recorded(); found {
		return &admission{repeat: true, result: result}, nil
	}
	if call.Settles != "" && !held.Waiting() {
		return &admission{repeat: true}, nil
	}
	if epoch := held.Record().Epoch; call.Epoch != "" && call.Epoch != epoch {
		return nil, ErrOtherEpoch
	}
	if call.Key.ofPage() {
		return admitPage(held, call.Key)
	}
	return admitTask(held, call)
}

func admitPage(held Held, key Key) (*admission, error) {
	mark := &pageMark{}
	found, err := decodeMark(held, mark)
	if err != nil {
		return nil, err
	}
	if !found { // it has not joined, or not for long
		return nil, ErrForgotten
	}
	applied, err := mark.applied(key)
	if err != nil || applied {
		return &admission{repeat: true}, err
	}
	mark.apply(key)
	return &admission{owner: key.Owner, mark: mark}, nil
}

func admitTask(held Held, call *Call) (*admission, error) {
	mark := &taskMark{}
	if _, err := decodeMark(held, mark); err != nil {
		return nil, err
	}
	a := &admission{owner: call.claim().Owner, entry: call.Key.Owner != ""}
	run, final := mark.Run, mark.Final
	if call.Task != "" && call.Task.Session() == call.Session {
		listed, err := admitRun(held.Record(), mark, call)
		if err != nil {
			return nil, err
		}
		a.relist = !listed
		mark.enter(call.Run)
		mark.Final = mark.Final || call.Final
	}
	if key := call.Key; key.Seq > 0 && key.Seq <= mark.Floor {
		return nil, fmt.Errorf("call %d of %s: %w", key.Seq, key.Owner, ErrForgotten)
	}
	if a.entry || mark.Run != run || mark.Final != final {
		mark.Floor = max(mark.Floor, call.Key.Forget)
		a.mark = mark
	}
	return a, nil
}

// admitRun reports whether the task is listed. The error is that of a run that may not write, or of which that has to be found out.
func admitRun(record *Record, mark *taskMark, call *Call) (listed bool, err error) {
	known, err := mark.admits(call.Run, call.Final)
	if err != nil {
		return false, fmt.Errorf("task %s: %w", call.Task, err)
	}
	for _, t := range record.Tasks {
		if t.ID != call.Task || !t.Live() {
			continue
		}
		if t.Status == StatusCancelling && call.Kind == CallStep {
			return true, fmt.Errorf("task %s is being cancelled: %w", call.Task, holdfast.ErrTaskEnded)
		}
		listed = true
	}
	if !call.Relist && (!known || !listed) {
		return listed, fmt.Errorf("run %s of task %s: %w", call.Run, call.Task, ErrTaskNotListed)
	}
	return listed, nil
}

// enter writes a call of the app into the ledger.
func (d *draft) enter(app *holdfast.App, call *Call, a *admission, result json.RawMessage) {
	if a.entry {
		d.Entry = &Entry{Owner: a.owner, Key: call.Key.entry(), Seq: call.Key.Seq, Forget: call.Key.Forget, Result: result}
	}
	if a.mark != nil {
		d.mark(a.owner, a.mark)
	}
	if a.relist {
		d.relist(app, call.Task)
	}
	if call.Task != "" {
		d.moves(call.Task)
		chain, _, _ := strings.Cut(call.Key.Chain, "/") // that of a final call has the run behind it
		d.register(call.Task, chain, call.Finally)
	}
}

// neverRuns leaves the tombstone of a task that is struck out before its workflow is started.
func (d *draft) neverRuns(id holdfast.TaskID) { d.mark(string(id), &taskMark{Never: true}) }

// mark writes the mark of an owner.
func (d *draft) mark(owner string, mark any) {
	if d.Marks == nil {
		d.Marks = map[string]json.RawMessage{}
	}
	raw, _ := json.Marshal(mark) //nolint:errchkjson // numbers and texts
	d.Marks[owner] = raw
}
