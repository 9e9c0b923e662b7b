package state

import (
	"slices"

	"github.com/holdfast-run/holdfast"
)

// keepFailed is how many failed tasks a session lists, the newest ones.
const keepFailed = 10

// request puts what a section asked for into the outbox, in its order.
func (d *draft) request(requests []holdfast.Request) {
	for _, r := range requests {
		if r.Task != nil {
			d.start(r)
		} else {
			d.trigger(r)
		}
	}
}

func (d *draft) trigger(r holdfast.Request) {
	d.Pending = append(d.Pending, Pending{
		ID: "trigger-" + randomID(16), Kind: KindTrigger, Session: d.record.Session,
		App: r.Event.App().Name(), Name: r.Event.Name(), Argument: r.Argument, At: d.At, Trace: d.trace,
	})
}

// start lists the task and puts its start into the outbox, as far as the others of its name allow. The id is fixed here and
// for good: whoever starts the workflow, and however often, uses this one.
func (d *draft) start(r holdfast.Request) {
	concurrency := r.Task.Options().Concurrency
	others := d.live(r.Task.Name())
	if concurrency == holdfast.SkipIfRunning && len(others) > 0 {
		return
	}
	d.dropFailed(func(t Task) bool { return t.Name == r.Task.Name() })
	id := holdfast.TaskID(r.Task.Type() + "-" + d.record.Session.Key() + "-" + randomID(10))
	row := Pending{
		ID: string(id), Kind: KindStart, Session: d.record.Session, Task: id,
		App: r.Task.App().Name(), Name: r.Task.Name(), Argument: r.Argument, At: d.At, Trace: d.trace,
		Bound: bound(r.Task),
	}
	if concurrency == holdfast.Supersede && len(others) > 0 {
		d.supersede(others)
		row.At = d.At
		if len(d.live(r.Task.Name())) > 0 { // they take their time to end
			d.Deferred = append(d.Deferred, row)
			d.list(Task{ID: id, Name: row.Name, Status: StatusStarting, Since: d.At, Bound: row.Bound})
			return
		}
	}
	d.Pending = append(d.Pending, row)
	d.list(Task{ID: id, Name: row.Name, Status: StatusStarting, Since: d.At, Bound: row.Bound})
}

// supersede cancels those tasks that run, and strikes out those that wait for their start.
func (d *draft) supersede(tasks []holdfast.TaskID) {
	for _, id := range tasks {
		if i := slices.IndexFunc(d.Deferred, func(p Pending) bool { return p.Task == id }); i >= 0 {
			d.tally(d.Deferred[i].Name, EndingCancelled)
			d.Deferred = slices.Delete(d.Deferred, i, i+1)
			d.unlist(id)
			d.neverRuns(id)
			continue
		}
		d.cancel(id, "superseded by a later one", false)
	}
}

// release lets those deferred starts go whose predecessors have ended.
func (d *draft) release() {
	d.Deferred = slices.DeleteFunc(d.Deferred, func(p Pending) bool {
		waits := slices.ContainsFunc(d.Tasks, func(t Task) bool { return t.Name == p.Name && t.ID != p.Task && t.Live() })
		if !waits {
			d.Pending = append(d.Pending, p)
		}
		return !waits
	})
}

// relist puts a task back on the list whose section is applied although the list does not have it, or has it as failed: its
// workflow was reset after it had ended.
func (d *draft) relist(app *holdfast.App, id holdfast.TaskID) {
	task := Task{ID: id, Name: id.Name(), Bound: wasBound(app, id)}
	if i := d.indexOf(id); i >= 0 {
		task = d.Tasks[i]
		d.unlist(id)
	}
	task.Status, task.Since, task.Error = StatusRunning, d.At, ""
	d.list(task)
}

// bound reports a task that is cancelled when its page has gone.
func bound(task *holdfast.Task) bool {
	return task.Options().OnDisconnect == holdfast.CancelOnDisconnect
}

// wasBound is bound for a task that has lost its row. If the app does not say otherwise, it listens: a signal too many does
// no harm, one too few ends a task under its page.
func wasBound(app *holdfast.App, id holdfast.TaskID) bool {
	task, err := app.NamedTask(id.Name())
	return err != nil || bound(task)
}

// live are the tasks of the name that have not ended.
func (d *draft) live(name string) (ids []holdfast.TaskID) {
	for _, t := range d.Tasks {
		if t.Name == name && t.Live() {
			ids = append(ids, t.ID)
		}
	}
	return ids
}

func (d *draft) list(t Task) {
	d.Tasks = append(d.Tasks, t)
	d.TasksChanged = true
}

func (d *draft) unlist(id holdfast.TaskID) {
	if i := d.indexOf(id); i >= 0 {
		d.Tasks = slices.Delete(d.Tasks, i, i+1)
		d.TasksChanged = true
	}
}

// dropFailed takes failed tasks off the list.
func (d *draft) dropFailed(drop func(Task) bool) {
	before := len(d.Tasks)
	d.Tasks = slices.DeleteFunc(d.Tasks, func(t Task) bool { return !t.Live() && drop(t) })
	d.TasksChanged = d.TasksChanged || len(d.Tasks) != before
}

// fail turns a task into a failed one.
func (d *draft) fail(id holdfast.TaskID, failure string) {
	i := d.indexOf(id)
	failed := d.Tasks[i]
	failed.Status, failed.Since, failed.Error = StatusFailed, d.At, failure
	d.unlist(id)
	d.list(failed)
	n := 0
	for _, t := range d.Tasks {
		if !t.Live() {
			n++
		}
	}
	d.dropFailed(func(Task) bool { n--; return n >= keepFailed })
}

// tally has it counted, when it is committed, that a task was started (no outcome) or has ended.
func (d *draft) tally(task string, ended Ending) {
	d.tallies = append(d.tallies, tally{task: task, ended: ended})
}

func (d *draft) indexOf(id holdfast.TaskID) int {
	return slices.IndexFunc(d.Tasks, func(t Task) bool { return t.ID == id })
}
