package workflows_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/workflows"
)

func takesText(workflow.Context, string) error { return nil }

func overInput(ctx workflow.Context) error {
	return workflows.DoWith(ctx, note, strings.Repeat("<", holdfast.MaxArgument/5))
}

func overArgument(ctx workflow.Context) error {
	return workflows.Start(ctx, takesText, strings.Repeat("<", holdfast.MaxArgument/5))
}

func overResult(workflow.Context) (string, error) {
	return strings.Repeat("x", holdfast.MaxResult), nil
}

func TestTask_RefusesValueOverLimit(t *testing.T) {
	t.Parallel()
	for want, task := range map[string]any{
		"workflows.DoWith: the input of note is too large: 629144 bytes of JSON, and the limit is 524288": overInput,
		"workflows.Start: bad argument: the argument of task takesText is too large":                      overArgument,
		"task test.task: the result is too large: 524290 bytes":                                           overResult,
	} {
		b := newBench(t, holdfast.Named("task", task), takesText)
		var failure *temporal.ApplicationError
		require.ErrorAs(t, b.run("task", wire.TaskInput{}), &failure)
		require.Equal(t, wire.ErrorMisuse, failure.Type())
		require.ErrorContains(t, failure, want)
	}
}
