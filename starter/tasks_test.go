package starter_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

func TestAPageCancelsItsTasks(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Start()
	p := b.settled()
	first := running(b, p, 2)
	second := running(b, p, 3)
	p.event(4, "holdfast.cancel", first)
	require.Equal(t, state.StatusCancelling, (*p.want("delta").Tasks)[0].Status)
	cancelled := <-b.temporal.cancels
	require.Equal(t, string(first), cancelled.WorkflowID)
	require.Equal(t, "cancelled from the page", cancelled.Reason)

	p.event(5, "holdfast.cancel", nil) // all: also the first one, which is being cancelled already
	require.ElementsMatch(t, []string{string(first), string(second)}, []string{(<-b.temporal.cancels).WorkflowID, (<-b.temporal.cancels).WorkflowID})

	stranger := b.settled()
	stranger.event(2, "holdfast.cancel", first)
	refused := stranger.want("ack")
	for refused.ID != 2 {
		refused = stranger.want("ack")
	}
	require.Equal(t, "rejected", refused.Error.Code, "another session's task")
	stranger.event(3, "holdfast.cancel", 7)
	require.Equal(t, "bad_argument", stranger.want("ack").Error.Code)
	require.Empty(t, b.temporal.cancels)
}

func TestAnOperatorCancelsTasks(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Start()
	p, welcome, _ := b.fresh()
	p.event(1, "Increment", nil)
	p.want("delta")
	id := running(b, p, 2)
	session := holdfast.SessionID(welcome.Session)
	require.ErrorIs(t, b.Cancel(t.Context(), session, "test.Task-none-x"), state.ErrNoTask)
	require.NoError(t, b.Cancel(t.Context(), session, ""))
	require.Equal(t, string(id), (<-b.temporal.cancels).WorkflowID)
}

func TestTriggeredEventsRunInTheirOrderAndARefusalIsTold(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Start()
	p := b.settled()
	p.event(2, "Ring", nil)
	require.JSONEq(t, `{"counter":11}`, string(p.want("delta").States["State"]))
	told := p.want("delta")
	require.Equal(t, state.MessageTaskFailed, told.Messages[0].Name)
	require.JSONEq(t, `{"name":"Refuse","error":"no more seats"}`, string(told.Messages[0].Data))
	require.JSONEq(t, `{"counter":12}`, string(p.want("delta").States["State"]), "the ones after it run all the same")
}

func TestTheAppIsToldOfAnEventThatPanicked(t *testing.T) {
	t.Parallel()
	app := newApp()
	told := make(chan holdfast.Failure, 1)
	app.OnError(func(_ context.Context, f holdfast.Failure) { told <- f })
	b := newBenchOf(t, app)
	p, _, _ := b.fresh()
	p.event(1, "Refuse", nil) // an answer, not a failure
	p.event(2, "Crash", nil)
	failure := <-told
	require.Equal(t, "Crash", failure.Name)
	require.Equal(t, "Panic", failure.Kind)
	require.Contains(t, failure.Message, "out of cheese")
	require.NotEmpty(t, failure.Stack)
}
