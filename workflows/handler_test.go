package workflows_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/workflows"
)

// answer is what an update comes to.
type answer struct{ rejected, err error }

func (a *answer) Accept()                   {}
func (a *answer) Reject(err error)          { a.rejected = err }
func (a *answer) Complete(_ any, err error) { a.err = err }

func TestUpdateHandler_RunsSections(t *testing.T) {
	t.Parallel()
	task := func(ctx workflow.Context) error {
		err := workflow.SetUpdateHandler(ctx, "say", func(ctx workflow.Context, line string) error {
			return workflows.DoWith(ctx, note, line)
		})
		if err != nil {
			return err
		}
		if err := workflows.DoWith(ctx, note, "first"); err != nil {
			return err
		}
		return workflows.Times(ctx, 3, time.Hour, addTwo)
	}
	b := newBench(t, holdfast.Named("Task", task))
	b.level = wire.Level
	said := &answer{}
	b.eachRun = func() {
		b.RegisterDelayedCallback(func() { b.UpdateWorkflow("say", "id", said, "hello") }, time.Millisecond)
	}
	runs, err := b.chain()
	require.NoError(t, err)
	require.Equal(t, 3, runs)
	require.NoError(t, errors.Join(said.rejected, said.err))
	log := b.state().Log
	require.Equal(t, "first", log[0])
	require.Contains(t, log[1:], "hello")
	require.NotContains(t, log[1:], "first", "the handler's calls do not shift the task's own")
}

func TestUpdateHandler_MisuseAndPanicFailTheUpdateAlone(t *testing.T) {
	t.Parallel()
	for want, handler := range map[string]func(workflow.Context) error{
		"workflows.Every is called in an update handler": func(ctx workflow.Context) error {
			return workflows.Every(ctx, time.Second, upTo3)
		},
		"workflows.Finally is called in an update handler": func(ctx workflow.Context) error {
			workflows.Finally(ctx, ended)
			return nil
		},
		"test.Task panicked: lost": func(workflow.Context) error { panic("lost") },
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			task := func(ctx workflow.Context) error {
				if err := workflow.SetUpdateHandler(ctx, "do", handler); err != nil {
					return err
				}
				return workflows.Sleep(ctx, time.Hour)
			}
			b := newBench(t, holdfast.Named("Task", task))
			did := &answer{}
			b.RegisterDelayedCallback(func() { b.UpdateWorkflow("do", "id", did) }, time.Minute)
			require.NoError(t, b.run("Task", wire.TaskInput{Level: wire.Level}))
			require.ErrorContains(t, did.err, want)
			require.Empty(t, b.state().Log)
		})
	}
}

func TestQueryHandler_RefusesSections(t *testing.T) {
	t.Parallel()
	var refused []error
	task := func(outer workflow.Context) error {
		err := workflow.SetQueryHandler(outer, "ask", func() (string, error) {
			refused = append(refused, workflows.DoWith(outer, note, "x"))
			return "", nil
		})
		if err != nil {
			return err
		}
		return workflows.Sleep(outer, time.Hour)
	}
	b := newBench(t, holdfast.Named("Task", task))
	b.RegisterDelayedCallback(func() { _, _ = b.QueryWorkflow("ask") }, time.Minute)
	require.NoError(t, b.run("Task", wire.TaskInput{Level: wire.Level}))
	require.NotEmpty(t, refused)
	require.ErrorContains(t, refused[0], "is called in a query handler or in an update's validator")
	require.Empty(t, b.state().Log)
}

func TestUpdateValidator_RefusesSections(t *testing.T) {
	t.Parallel()
	task := func(ctx workflow.Context) error {
		check := func(ctx workflow.Context) error { return workflows.DoWith(ctx, note, "x") }
		err := workflow.SetUpdateHandlerWithOptions(ctx, "do", func(workflow.Context) error { return nil },
			workflow.UpdateHandlerOptions{Validator: check})
		if err != nil {
			return err
		}
		return workflows.Sleep(ctx, time.Hour)
	}
	b := newBench(t, holdfast.Named("Task", task))
	did := &answer{}
	b.RegisterDelayedCallback(func() { b.UpdateWorkflow("do", "id", did) }, time.Minute)
	require.NoError(t, b.run("Task", wire.TaskInput{Level: wire.Level}))
	require.ErrorContains(t, did.rejected, "update's validator")
	require.Empty(t, b.state().Log)
}
