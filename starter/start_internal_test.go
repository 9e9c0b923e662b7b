package starter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

func TestStart_OnlyInlineTasksHaveAShortWorkflowTask(t *testing.T) {
	t.Parallel()
	regular := func(workflow.Context) error { return nil }
	inline := func(workflow.Context) error { return nil }
	app := holdfast.NewApp("test", struct{}{})
	app.Tasks(holdfast.Named("Regular", regular), holdfast.With(holdfast.Named("Inline", inline), holdfast.TaskOptions{Inline: true}))
	for set, want := range map[time.Duration][2]time.Duration{
		0:                {10 * time.Second, 2 * time.Second},
		30 * time.Second: {30 * time.Second, 2 * time.Second},
		time.Second:      {time.Second, time.Second},
	} {
		r := &relay{starter: &Starter{opts: Options{WorkflowTaskTimeout: set}.withDefaults(), apps: map[string]*holdfast.App{"test": app}}}
		require.Equal(t, want[0], r.options(state.Pending{App: "test", Name: "Regular"}).WorkflowTaskTimeout)
		require.Equal(t, want[1], r.options(state.Pending{App: "test", Name: "Inline"}).WorkflowTaskTimeout)
	}
}
