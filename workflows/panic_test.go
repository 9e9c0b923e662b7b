package workflows

import (
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/codec"
)

// TestAMissingKeyDoesNotFailATask: a worker that lacks a key must leave the task to one that has it.
func TestAMissingKeyDoesNotFailATask(t *testing.T) {
	t.Parallel()
	payload, err := convertersWith(t, "new").ToPayload("a result")
	require.NoError(t, err)
	aware, ok := convertersWith(t, "old").(workflow.ContextAware)
	require.True(t, ok)
	var failure error
	task := func() {
		defer contain(&holdfast.Task{}, &failure)
		failure = aware.WithWorkflowContext(nil).FromPayload(payload, new(string))
	}
	require.PanicsWithError(t, "this worker cannot read what the workflow stored, and leaves it to be tried again: "+
		`decrypt payload 1 of 1: key id "new": the key is not known here; known: old`, task)
	require.NoError(t, failure)
}

func convertersWith(t testing.TB, id string) converter.DataConverter {
	t.Helper()
	keys, err := codec.ParseKeys(id + ":" + base64.StdEncoding.EncodeToString(make([]byte, 32)))
	require.NoError(t, err)
	data, _ := codec.Converters(keys)
	return data
}
