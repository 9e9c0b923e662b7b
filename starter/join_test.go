package starter_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

func (p page) eventOf(epoch string, id int64, name string, arg any) {
	p.t.Helper()
	p.send(map[string]any{"type": "event", "id": id, "epoch": epoch, "name": name, "arg": arg})
}

// refusedAs sends an event and returns the code with which it is refused.
func (p page) refusedAs(epoch string, id int64, name string, arg any) string {
	p.t.Helper()
	p.eventOf(epoch, id, name, arg)
	ack := p.want("ack")
	require.NotNil(p.t, ack.Error)
	require.Equal(p.t, id, ack.ID)
	return ack.Error.Code
}

func TestWelcome_NamesTheEpoch(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p, welcome, snapshot := b.fresh()
	require.NotEmpty(t, welcome.Epoch)
	require.Equal(t, welcome.Epoch, snapshot.Epoch)
	p.eventOf(welcome.Epoch, 1, "Increment", nil)
	require.Nil(t, p.want("ack").Error)
}

func TestEvent_OfAnotherLifeOfTheSessionIsRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p := b.settled()
	require.Equal(t, "other_epoch", p.refusedAs("before", 2, "Increment", nil))
	require.Equal(t, "other_epoch", p.refusedAs("before", 3, "holdfast.cancel", nil))
	p.event(4, "Increment", nil) // a simple client names none
	require.JSONEq(t, `{"counter":2}`, string(p.want("delta").States["State"]))
}

// A client that was away for so long that it was forgotten is as one that never came: it says what it had sent.
func TestHello_SaysWhatIsNotToBeAppliedAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p, _ := b.open(map[string]any{"new": true, "sent": 5})
	require.Equal(t, "forgotten", p.refusedAs("", 5, "Increment", nil))
	require.Equal(t, "forgotten", p.refusedAs("", 4, "holdfast.cancel", nil))
	p.event(6, "Increment", nil)
	require.Nil(t, p.want("ack").Error)
}

func TestLoad_IsToldAndRunsOnceForEachLife(t *testing.T) {
	t.Parallel()
	app := newApp()
	app.OnLoad(Load)
	b := newBenchOf(t, app)
	p, welcome := b.open(map[string]any{"new": true})
	p.want("loaded")
	loads := func(client, epoch string) string {
		again, _ := b.open(map[string]any{"token": welcome.Token, "client": client, "loaded": true, "epoch": epoch})
		again.want("loaded")
		look, _ := b.open(map[string]any{"token": welcome.Token, "client": "looker" + client, "loaded": true, "epoch": welcome.Epoch})
		return string(look.want("snapshot").States["State"])
	}
	require.JSONEq(t, `{"counter":0,"loads":1}`, loads("client01", welcome.Epoch), "a load that the ledger has forgotten")
	require.JSONEq(t, `{"counter":0,"loads":2}`, loads("client02", "before"), "it loads for this life of the session")
}

func TestCancel_SentAgainCancelsNothingThatCameLater(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p, welcome, _ := b.fresh()
	p.event(1, "Begin", "first")
	p.want("ack")
	p.event(2, "holdfast.cancel", nil)
	cancelled := p.want("ack")
	require.Nil(t, cancelled.Error)
	p.event(3, "Begin", "second")
	begun := p.want("ack")
	require.Greater(t, begun.Revision, cancelled.Revision)
	require.Positive(t, cancelled.Revision, "a page waits for it")
	require.NoError(t, p.CloseNow())

	again, _ := b.open(map[string]any{"token": welcome.Token})
	again.event(2, "holdfast.cancel", nil)
	again.event(3, "Begin", "second")
	require.Nil(t, again.want("ack").Error)
	require.Equal(t, int64(3), again.want("ack").ID)
	tasks, err := b.state.TasksOf(t.Context(), holdfast.SessionID(welcome.Session))
	require.NoError(t, err)
	last := tasks[len(tasks)-1]
	require.Equal(t, state.StatusStarting, last.Status, "the later one goes on")
}
