package starter_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"

	"github.com/holdfast-run/holdfast/starter"
	"github.com/holdfast-run/holdfast/state"
)

func TestATaskIsStartedWhenItsSectionHasCommitted(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Start()
	p := b.settled()
	p.event(2, "Begin", "x")
	listed := (*p.want("delta").Tasks)[0]
	require.Equal(t, state.StatusStarting, listed.Status)
	require.Equal(t, state.StatusRunning, (*p.want("delta").Tasks)[0].Status)
	call := <-b.temporal.calls
	require.Equal(t, string(listed.ID), call.ID)
	require.Equal(t, "holdfast", call.TaskQueue)
}

func TestATaskThatWasNotStartedBeforeACrashIsStartedAfterIt(t *testing.T) {
	t.Parallel()
	b := newBench(t) // its relay does not run
	p := b.settled()
	p.event(2, "Begin", "x")
	require.Equal(t, state.StatusStarting, (*p.want("delta").Tasks)[0].Status)
	b.Start()
	<-b.temporal.calls
	require.Equal(t, state.StatusRunning, (*p.want("delta").Tasks)[0].Status)
}

func TestAStartIsRetriedUntilTemporalIsBack(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.temporal.fail(serviceerror.NewUnavailable("away"))
	b.Start()
	p := b.settled()
	p.event(2, "Begin", "x")
	require.Equal(t, state.StatusStarting, (*p.want("delta").Tasks)[0].Status)
	<-b.temporal.calls
	<-b.temporal.calls
	b.temporal.fail(nil)
	require.Equal(t, state.StatusRunning, (*p.want("delta").Tasks)[0].Status)
}

func TestATaskThatIsAlreadyRunningCountsAsStarted(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.temporal.fail(serviceerror.NewWorkflowExecutionAlreadyStarted("running", "", ""))
	b.Start()
	p := b.settled()
	p.event(2, "Begin", "x")
	require.Equal(t, state.StatusStarting, (*p.want("delta").Tasks)[0].Status)
	require.Equal(t, state.StatusRunning, (*p.want("delta").Tasks)[0].Status)
}

func TestATaskThatTemporalRefusesIsToldToThePage(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.temporal.fail(serviceerror.NewInvalidArgument("blob exceeds 2097152"))
	b.Start()
	p := b.settled()
	p.event(2, "Begin", "x")
	require.Equal(t, state.StatusStarting, (*p.want("delta").Tasks)[0].Status)
	delta := p.want("delta")
	require.Equal(t, state.StatusFailed, (*delta.Tasks)[0].Status)
	require.Equal(t, state.MessageTaskFailed, delta.Messages[0].Name)
	require.Contains(t, string(delta.Messages[0].Data), "could not be started")
	require.NotContains(t, string(delta.Messages[0].Data), "blob", "what Temporal says is for the log")
}

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_, err := starter.New(starter.Options{SessionKey: []byte("short")})
	for _, says := range []string{"State is missing", "Temporal is missing", "SessionKey has 5 bytes", "Apps is empty"} {
		require.ErrorContains(t, err, says)
	}
	o := starter.Options{State: b.state, Temporal: b.temporal, SessionKey: []byte(strings.Repeat("k", 32))}
	o.Apps = append(o.Apps, b.app, newApp())
	_, err = starter.New(o)
	require.ErrorContains(t, err, `two apps are called "test"`)
	bad := newApp()
	bad.Events(errors.New)
	o.Apps = o.Apps[:0:0]
	o.Apps = append(o.Apps, bad)
	_, err = starter.New(o)
	require.ErrorContains(t, err, "event New")
}
