package state

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	jsonpatch "github.com/evanphx/json-patch/v5"

	"github.com/holdfast-run/holdfast"
)

// plan turns what a section did into what is written; nil when there is nothing.
func (s *Service) plan(ctx context.Context, record *Record, call Call, outcome *holdfast.Outcome) (*Commit, error) {
	if err := checkOutcome(outcome); err != nil {
		return nil, &holdfast.SectionError{Function: call.Handler.Type(), Err: err}
	}
	d := s.draft(ctx, record)
	if call.Key.Owner != "" {
		d.Entry = &Entry{Owner: call.Key.Owner, Key: call.Key.String(), Result: outcome.Result, Keep: call.Key.Keep}
	}
	if err := d.setDocuments(call.Handler.App(), outcome.Documents); err != nil {
		var panicked *holdfast.PanicError
		if errors.As(err, &panicked) {
			return nil, err
		}
		return nil, &holdfast.SectionError{Function: call.Handler.Type(), Err: err} // it would be so again
	}
	if call.Settles != "" {
		d.Settled = []string{call.Settles}
	}
	d.relist(call)
	d.request(outcome.Requests)
	for _, m := range outcome.Messages {
		d.emit(m.Name, m.Data)
	}
	if d.Entry == nil && !outcome.Changes() {
		return nil, nil
	}
	return d.finish(), nil
}

// draft is a commit in the making, beside the record that it follows.
type draft struct {
	Commit
	record *Record
	At     time.Time // by the process's clock, for people
	change Change
	trace  string // of who asks for it
}

func (s *Service) draft(ctx context.Context, record *Record) *draft {
	d := &draft{record: record, trace: s.tracer.Trace(ctx), At: time.Now().UTC(), Commit: Commit{
		Epoch:        record.Epoch,
		Version:      record.Version + 1,
		Revision:     record.Revision,
		LastMessage:  record.LastMessage,
		Tasks:        slices.Clone(record.Tasks),
		Deferred:     slices.Clone(record.Deferred),
		KeepChanges:  s.opts.KeepChanges,
		KeepMessages: s.opts.KeepMessages,
	}}
	if d.Epoch == "" {
		d.Epoch = randomID(8)
	}
	return d
}

// setDocuments takes over changed states and works out what of it the client sees.
func (d *draft) setDocuments(app *holdfast.App, changed holdfast.Documents) error {
	if len(changed) == 0 {
		return nil
	}
	d.Documents = changed
	before, err := app.Visible(d.record.Documents)
	if err != nil {
		return err
	}
	merged := maps.Clone(d.record.Documents)
	if merged == nil {
		merged = holdfast.Documents{}
	}
	maps.Copy(merged, changed)
	after, err := app.Visible(merged)
	if err != nil {
		return err
	}
	d.change.States, err = patches(before, after)
	return err
}

// patches are the merge patches from one set of views to another, by state, without the empty ones.
func patches(before, after holdfast.Documents) (map[string]json.RawMessage, error) {
	changed := map[string]json.RawMessage{}
	for name := range after {
		if bytes.Equal(before[name], after[name]) {
			continue
		}
		patch, err := jsonpatch.CreateMergePatch(before[name], after[name])
		if err != nil {
			return nil, fmt.Errorf("compare the views of state %s: %w", name, err)
		}
		if string(patch) != "{}" {
			changed[name] = patch
		}
	}
	return changed, nil
}

func (d *draft) emit(name string, data json.RawMessage) {
	d.LastMessage++
	d.change.Messages = append(d.change.Messages, Message{ID: d.LastMessage, Name: name, Data: data, Revision: d.record.Revision + 1})
}

// finish gives the commit a revision if the client can see any of it.
func (d *draft) finish() *Commit {
	if d.TasksChanged {
		d.change.Tasks = &d.Tasks
	}
	if len(d.change.States) > 0 || d.TasksChanged || len(d.change.Messages) > 0 {
		d.Revision++
		d.change.Revision, d.change.At, d.change.Trace = d.Revision, d.At, d.trace
		d.Change = &d.change
	}
	return &d.Commit
}

// randomID returns n random characters of a-z and 2-7, five bits each.
func randomID(n int) string {
	return strings.ToLower(rand.Text())[:n]
}
