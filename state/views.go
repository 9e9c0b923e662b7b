package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	jsonpatch "github.com/evanphx/json-patch/v5"

	"github.com/holdfast-run/holdfast"
)

// work is what one run of a section did.
type work struct {
	outcome *holdfast.Outcome
	// patches has a merge patch for each state whose visible form changed.
	patches map[string]json.RawMessage
}

// see works out what the client sees of the states that a section changed. A state that it did not
// change costs nothing. The error is the section's own: it would be the same again.
func see(call *Call, before holdfast.Documents, outcome *holdfast.Outcome) (*work, error) {
	w := &work{outcome: outcome, patches: map[string]json.RawMessage{}}
	err := checkOutcome(outcome)
	for name := range outcome.Documents {
		if err != nil {
			break
		}
		var patch json.RawMessage
		if patch, err = patchOf(call.Handler.App(), name, before, outcome.Documents); patch != nil {
			w.patches[name] = patch
		}
	}
	var panicked *holdfast.PanicError
	if err != nil && !errors.As(err, &panicked) {
		err = &holdfast.SectionError{Function: call.Handler.Type(), Err: err}
	}
	return w, err
}

// patchOf is the merge patch from what the client saw of a state to what it sees now; nil if that
// is the same.
func patchOf(app *holdfast.App, name string, before, after holdfast.Documents) (json.RawMessage, error) {
	saw, err := app.VisibleState(name, before)
	if err != nil {
		return nil, err
	}
	sees, err := app.VisibleState(name, after)
	if err != nil || bytes.Equal(saw, sees) {
		return nil, err
	}
	patch, err := jsonpatch.CreateMergePatch(saw, sees)
	if err != nil {
		return nil, fmt.Errorf("compare the views of state %s: %w", name, err)
	}
	if string(patch) == "{}" {
		return nil, nil
	}
	return patch, nil
}
