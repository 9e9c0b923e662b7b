package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/workflows"
)

// numbers notes the number and the acknowledgement of each section call of the environment, by its position.
func (b *bench) numbers(into map[string][2]int64) {
	b.SetOnActivityStartedListener(func(info *activityInfo, _ context.Context, args encodedValues) {
		var in wire.SectionInput
		if args.Get(&in) == nil && in.Position != "" {
			into[in.Position] = [2]int64{in.Seq, in.Ack}
		}
	})
	b.SetOnLocalActivityStartedListener(func(_ *activityInfo, _ context.Context, args []any) {
		if in, ok := args[0].(wire.SectionInput); ok {
			into[in.Position] = [2]int64{in.Seq, in.Ack}
		}
	})
}

func TestCall_NumberGoesOnAfterContinueAsNew(t *testing.T) {
	t.Parallel()
	task := func(ctx workflow.Context) error {
		workflows.Finally(ctx, ended)
		if err := workflows.DoWith(ctx, note, "x"); err != nil {
			return err
		}
		return workflows.Times(ctx, 3, 0, addTwo)
	}
	b := newBench(t, holdfast.Named("Task", task))
	b.level = wire.Level
	seen := map[string][2]int64{}
	b.eachRun = func() { b.numbers(seen) }
	runs, err := b.chain()
	require.NoError(t, err)
	require.Equal(t, 3, runs)
	require.Equal(t, map[string][2]int64{"1": {1, 1}, "2.0": {2, 2}, "2.1": {3, 3}, "2.2": {4, 4}, "end.1": {5, 5}}, seen)
}

func TestCall_OfAnEarlierLevelHasNoNumber(t *testing.T) {
	t.Parallel()
	task := func(ctx workflow.Context) error { return workflows.DoWith(ctx, note, "x") }
	b := newBench(t, holdfast.Named("Task", task))
	seen := map[string][2]int64{}
	b.numbers(seen)
	require.NoError(t, b.run("Task", wire.TaskInput{Level: wire.LevelNumbersCalls - 1}))
	require.Equal(t, map[string][2]int64{"1": {0, 0}}, seen)
}

func TestCall_AcknowledgesNoneThatIsOutstanding(t *testing.T) {
	t.Parallel()
	task := func(ctx workflow.Context) error {
		done := workflow.NewChannel(ctx)
		workflow.Go(ctx, func(ctx workflow.Context) {
			_, err := workflows.LockedWith(ctx, add, 1) // waits for an hour
			done.Send(ctx, err)
		})
		for range 2 {
			if err := workflows.DoWith(ctx, note, "x"); err != nil {
				return err
			}
			if err := workflows.Sleep(ctx, time.Second); err != nil {
				return err
			}
		}
		var err error
		done.Receive(ctx, &err)
		return err
	}
	b := newBench(t, holdfast.Named("Task", task))
	b.OnActivity("test.add", mockAny, mockAny).After(time.Hour).Return([]byte("1"), nil)
	seen := map[string][2]int64{}
	b.numbers(seen)
	require.NoError(t, b.run("Task", wire.TaskInput{Level: wire.Level}))
	require.Equal(t, [2]int64{2, 1}, seen["2"], "the one that waits")
	require.Equal(t, [2]int64{1, 1}, seen["1"])
	require.Equal(t, [2]int64{3, 2}, seen["4"])
}

func TestCall_AcknowledgesNoInlineCallOfItsWorkflowTask(t *testing.T) {
	t.Parallel()
	var b *bench
	task := func(ctx workflow.Context) error {
		for i := range 4 {
			if err := workflows.DoWith(ctx, note, "x"); err != nil {
				return err
			}
			b.SetCurrentHistoryLength(10 + 10*((i+1)/3)) // the fourth call is in another workflow task
		}
		return nil
	}
	b = newBench(t, holdfast.Named("Task", task))
	seen := map[string][2]int64{}
	b.numbers(seen)
	b.SetCurrentHistoryLength(10)
	require.NoError(t, b.run("Task", wire.TaskInput{Inline: true, Level: wire.Level}))
	require.Equal(t, map[string][2]int64{"1": {1, 1}, "2": {2, 1}, "3": {3, 1}, "4": {4, 4}}, seen)
}

func TestCall_NamesTheFinallySectionsSoFar(t *testing.T) {
	t.Parallel()
	task := func(ctx workflow.Context) error {
		if err := workflows.DoWith(ctx, note, "x"); err != nil {
			return err
		}
		workflows.Finally(ctx, endedFirst)
		workflows.Finally(ctx, ended)
		return workflows.DoWith(ctx, note, "y")
	}
	b := newBench(t, holdfast.Named("Task", task))
	names := map[string][]string{}
	b.SetOnActivityStartedListener(func(info *activityInfo, _ context.Context, args encodedValues) {
		var in wire.SectionInput
		require.NoError(t, args.Get(&in))
		names[in.Position] = in.Finally
	})
	require.NoError(t, b.run("Task", wire.TaskInput{}))
	require.Empty(t, names["1"])
	require.Equal(t, []string{"endedFirst", "ended"}, names["2"])
}
