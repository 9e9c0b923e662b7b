package starter_test

import (
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
)

// pauses are how often clients had to wait, by what with.
func (o *observed) pauses(what string) (n float64) {
	for labels, value := range o.measured("holdfast_pauses") {
		if strings.Contains(labels, what) {
			n += value
		}
	}
	return n
}

func TestHandshake_WaitsForAnAddressThatIsRefusedAgainAndAgain(t *testing.T) {
	t.Parallel()
	o := newObserved(t)
	bystander := o.settled()
	for range 10 {
		p := o.dial()
		require.NoError(t, p.Write(t.Context(), websocket.MessageText, []byte(`{"type":"dance"}`)))
		p.closed()
	}
	require.Positive(t, o.pauses("handshake"))
	bystander.event(2, "Increment", nil)
	require.Nil(t, bystander.want("ack").Error, "who is connected is not touched")
	p, _, _ := o.fresh()
	p.event(1, "Increment", nil)
	require.Nil(t, p.want("ack").Error, "and all are let in")
}

func TestEvent_WaitsForASessionThatIsRefusedAgainAndAgain(t *testing.T) {
	t.Parallel()
	o := newObserved(t)
	p, _, _ := o.fresh()
	for id := range int64(300) {
		p.event(id+1, "Refuse", nil)
		require.NotNil(t, p.want("ack").Error)
	}
	require.Positive(t, o.pauses("event"))
	p.event(1000, "Increment", nil)
	require.Nil(t, p.want("ack").Error)
}

func TestEvent_WaitsForASessionThatAsksForManyTasks(t *testing.T) {
	t.Parallel()
	o := newObserved(t)
	p, _, _ := o.fresh()
	for id := range int64(70) { // each asks for three events
		p.event(id+1, "Ring", nil)
		require.Nil(t, p.want("ack").Error)
	}
	require.Positive(t, o.pauses("event"))
}

func TestConnection_IsReadAtItsPace(t *testing.T) {
	t.Parallel()
	o := newObserved(t)
	p, _, _ := o.fresh()
	for id := range int64(3) {
		p.event(id+1, "Keep", strings.Repeat("x", 1<<19))
		require.Nil(t, p.want("ack").Error)
	}
	require.Positive(t, o.pauses("reading"))
}

func TestHandshake_OffersNoCompression(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	conn, response, err := websocket.Dial(t.Context(), b.server.URL+"/test/socket", &websocket.DialOptions{
		Subprotocols: []string{"holdfast.v1"}, CompressionMode: websocket.CompressionContextTakeover,
	})
	require.NoError(t, err)
	require.Empty(t, response.Header.Get("Sec-WebSocket-Extensions"))
	require.NoError(t, conn.CloseNow())
}
