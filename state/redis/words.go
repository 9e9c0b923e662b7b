package redis

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/holdfast-run/holdfast/state"
)

// words are the arguments of the commit's script, in the order in which it takes them.
type words struct {
	all []any
	err error
}

func (w *words) add(words ...any) { w.all = append(w.all, words...) }

// json is the text of a value of ours.
func (w *words) json(value any) string {
	text, err := json.Marshal(value)
	if err != nil && w.err == nil {
		w.err = fmt.Errorf("encode: %w", err)
	}
	return string(text)
}

func (w *words) commit(h *held, c *state.Commit) {
	w.add(h.term, h.driver.keys.freed(), string(h.record.Session))
	w.change(c)
	w.add(flag(len(c.Pending) > 0), keepNotices, c.Epoch, c.Version, c.Revision, c.LastMessage)
	w.tasks(c)
	w.add(len(c.Documents))
	for name, body := range c.Documents {
		w.add(name, string(body))
	}
	w.entry(c)
	w.add(len(c.Marks))
	for owner, mark := range c.Marks {
		w.add(owner, string(mark))
	}
	w.outbox(c)
}

func (w *words) tasks(c *state.Commit) {
	if !c.TasksChanged {
		w.add(0)
		return
	}
	w.add(2, "tasks", w.json(append([]state.Task{}, c.Tasks...)))
	w.add("deferred", w.json(append([]state.Pending{}, c.Deferred...)))
}

func (w *words) change(c *state.Commit) {
	if c.Change == nil {
		w.add("", "", "", "0", 0)
		return
	}
	w.add(w.json(c.Change), streamID(c.Revision-c.KeepChanges+1), streamID(c.Change.Revision))
	w.add(streamID(c.LastMessage-c.KeepMessages+1), len(c.Change.Messages))
	for _, m := range c.Change.Messages {
		w.add(streamID(m.ID), m.Revision, m.Name, string(m.Data))
	}
}

func (w *words) entry(c *state.Commit) {
	e := c.Entry
	if e == nil {
		w.add(0)
		return
	}
	value := "" // no result
	if e.Result != nil {
		value = "=" + string(e.Result)
	}
	w.add(1, e.Key, value, e.Seq, e.Forget)
}

func (w *words) outbox(c *state.Commit) {
	w.add(len(c.Settled))
	for _, id := range c.Settled {
		w.add(id)
	}
	w.add(len(c.Pending))
	for i := range c.Pending {
		w.add(c.Pending[i].ID, w.json(&c.Pending[i]))
	}
}

// streamID is the id of an entry of a stream that is found by its number.
func streamID(n int64) string { return strconv.FormatInt(max(n, 0), 10) + "-0" }

func flag(set bool) string {
	if set {
		return "1"
	}
	return "0"
}
