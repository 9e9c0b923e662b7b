package workflows_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/workflows"
)

const secret = "dial tcp 10.0.0.1: password authentication failed for user x"

func dial(*holdfast.Tx, *State) error      { return errors.New(secret) }
func dialPanic(*holdfast.Tx, *State) error { panic(errors.New(secret)) }
func full(*holdfast.Tx, *State) error {
	return fmt.Errorf("%s: %w", secret, holdfast.Reject("no more seats"))
}
func dialStep(context.Context) error {
	return temporal.NewNonRetryableApplicationError(secret, "Dial", nil)
}

// ending runs a task to its end, and returns what its page and its app were told.
func ending(t *testing.T, task func(workflow.Context) error) (said wire.TaskEndedInput, told holdfast.Failure) {
	t.Helper()
	b := newBench(t, holdfast.Named("Task", task))
	b.app.Sections(dial, dialPanic, full)
	b.app.Activities(dialStep)
	b.app.OnError(func(_ context.Context, f holdfast.Failure) { told = f })
	b.again()
	b.SetOnActivityStartedListener(func(info *activityInfo, _ context.Context, args encodedValues) {
		if info.ActivityType.Name == wire.TaskEnded {
			require.NoError(t, args.Get(&said))
		}
	})
	err := b.run("Task", wire.TaskInput{Level: wire.Level})
	require.Error(t, err)
	require.Less(t, temporal.GetDefaultFailureConverter().ErrorToFailure(err).Size(), 1<<20)
	require.NotEmpty(t, said.Failure)
	require.NotEmpty(t, told.Name)
	return said, told
}

func TestFailure_ShowsThePageAnIDOnly(t *testing.T) {
	t.Parallel()
	for name, task := range map[string]func(workflow.Context) error{
		"section":       func(ctx workflow.Context) error { return workflows.Do(ctx, dial) },
		"wrapped":       func(ctx workflow.Context) error { return fmt.Errorf("book: %w", workflows.Do(ctx, dial)) },
		"section panic": func(ctx workflow.Context) error { return workflows.Do(ctx, dialPanic) },
		"inline":        func(ctx workflow.Context) error { return workflows.Do(workflows.Inline(ctx), dial) },
		"step": func(ctx workflow.Context) error {
			_, err := workflows.Step[struct{}](ctx, dialStep)
			return err
		},
		"return":         func(workflow.Context) error { return errors.New(secret) },
		"typed":          func(workflow.Context) error { return temporal.NewApplicationError(secret, "Dial") },
		"panic":          func(workflow.Context) error { panic(secret) },
		"rejected panic": func(workflow.Context) error { panic(holdfast.Reject(secret)) },
		"finally": func(ctx workflow.Context) error {
			workflows.Finally(ctx, dial)
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			said, told := ending(t, task)
			require.Equal(t, "Task failed (default-)", said.Shown)
			require.Contains(t, said.Failure, secret)
			require.Equal(t, said.Failure, told.Message)
			require.Equal(t, "default-", told.ID)
		})
	}
}

func TestFailure_ShowsThePageARejection(t *testing.T) {
	t.Parallel()
	for name, task := range map[string]func(workflow.Context) error{
		"section": func(ctx workflow.Context) error { return workflows.Do(ctx, full) },
		"wrapped": func(ctx workflow.Context) error { return fmt.Errorf("%s: %w", secret, workflows.Do(ctx, full)) },
		"return":  func(workflow.Context) error { return fmt.Errorf("%s: %w", secret, holdfast.Reject("no more seats")) },
		"joined":  func(workflow.Context) error { return errors.Join(errors.New(secret), holdfast.Reject("no more seats")) },
		"inline":  func(ctx workflow.Context) error { return workflows.Do(workflows.Inline(ctx), full) },
		"instead": func(ctx workflow.Context) error {
			return fmt.Errorf("%w: %w", holdfast.Reject("no more seats"), workflows.Do(ctx, dialPanic))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			said, told := ending(t, task)
			require.Equal(t, "no more seats", said.Shown)
			require.NotEmpty(t, told.Kind)
		})
	}
}

func TestFailure_IsBounded(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 5<<20)
	for _, task := range []func(workflow.Context) error{
		func(workflow.Context) error { panic(errors.New(long)) },
		func(workflow.Context) error { return errors.New(long) },
	} {
		said, _ := ending(t, task)
		require.LessOrEqual(t, len(said.Failure), wire.MaxFailure)
		require.LessOrEqual(t, len(said.Stack), wire.MaxStack)
	}
}

func TestFailure_ReachesTheListAsShown(t *testing.T) {
	t.Parallel()
	b := newBench(t, holdfast.Named("Task", func(workflow.Context) error { return errors.New(secret) }))
	task, err := b.app.NamedTask("Task")
	require.NoError(t, err)
	request := holdfast.Request{Task: task}
	require.NoError(t, b.service.Request(t.Context(), b.app, state.Call{Session: session}, request))
	snapshot, err := b.service.Snapshot(t.Context(), b.app, session)
	require.NoError(t, err)
	id := snapshot.Tasks[0].ID
	b.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: string(id), TaskQueue: "q"})
	require.Error(t, b.run("Task", wire.TaskInput{Level: wire.Level}))
	snapshot, err = b.service.Snapshot(t.Context(), b.app, session)
	require.NoError(t, err)
	require.Equal(t, "Task failed (default-)", snapshot.Tasks[0].Error)
}
