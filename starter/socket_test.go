package starter_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
)

func TestAPageSeesItsSessionAndTheChangesOfItsEvents(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p, welcome, snapshot := b.fresh()
	require.Equal(t, "test", welcome.App)
	require.NotEmpty(t, welcome.Token)
	require.NotContains(t, welcome.Token, strings.TrimPrefix(welcome.Session, "test-"))
	require.JSONEq(t, `{"counter":0}`, string(snapshot.States["State"]))
	require.NotNil(t, snapshot.Tasks)

	p.event(1, "Add", 5)
	require.JSONEq(t, `{"counter":5}`, string(p.want("delta").States["State"]), "the session was there when the page had joined")
	p.event(2, "Increment", nil)
	delta := p.want("delta")
	require.JSONEq(t, `{"counter":6}`, string(delta.States["State"]))
	require.Equal(t, int64(2), delta.Revision)
}

func TestEachEventIsAcknowledgedInOrder(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p, _, _ := b.fresh()
	for id := range int64(50) {
		p.event(id+1, "Increment", nil)
	}
	for id := range int64(50) {
		ack := p.want("ack")
		require.Equal(t, id+1, ack.ID)
		require.Equal(t, id+1, ack.Revision)
		require.Nil(t, ack.Error)
	}
}

func TestAnEventThatIsSentAgainIsAppliedOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p, welcome, _ := b.fresh()
	p.event(1, "Increment", nil)
	p.want("ack")
	require.NoError(t, p.CloseNow())

	again, _ := b.open(map[string]any{"token": welcome.Token})
	require.JSONEq(t, `{"counter":1}`, string(again.want("snapshot").States["State"]))
	again.event(1, "Increment", nil)
	again.event(2, "Increment", nil)
	require.Equal(t, int64(1), again.want("ack").Revision)
	require.Equal(t, int64(2), again.want("ack").Revision)

	other, _ := b.open(map[string]any{"token": welcome.Token, "client": "client01"})
	require.JSONEq(t, `{"counter":2}`, string(other.want("snapshot").States["State"]))
	other.event(1, "Increment", nil) // another load of the page counts for itself
	require.Equal(t, int64(3), other.want("ack").Revision)
}

func TestAClientResumesWhereItWas(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p, welcome, at := b.fresh()
	p.event(1, "Increment", nil)
	at.Revision = p.want("delta").Revision
	require.NoError(t, p.CloseNow())
	other, _ := b.open(map[string]any{"token": welcome.Token, "client": "client01"})
	other.event(1, "Say", "hello")
	other.event(2, "Increment", nil)
	other.want("ack")
	other.want("ack")

	again, _ := b.open(map[string]any{"token": welcome.Token, "epoch": at.Epoch, "after": at.Revision})
	first := again.next()
	require.Equal(t, "delta", first.Type, "no snapshot where the deltas can be sent")
	require.Equal(t, at.Revision+1, first.Revision)
	require.Equal(t, "toast", first.Messages[0].Name)
	require.Equal(t, at.Revision+2, again.next().Revision)
}

func TestConnectionsOfOneSessionSeeTheSame(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	first, welcome, _ := b.fresh()
	second, same := b.open(map[string]any{"token": welcome.Token, "client": "client01"})
	second.want("snapshot")
	require.Equal(t, welcome.Session, same.Session)
	first.event(1, "Increment", nil)
	require.JSONEq(t, `{"counter":1}`, string(second.want("delta").States["State"]))

	stranger, other, snapshot := b.fresh()
	require.NotEqual(t, welcome.Session, other.Session)
	require.JSONEq(t, `{"counter":0}`, string(snapshot.States["State"]))
	_ = stranger
}

func TestARefusedEventChangesNothingAndSaysWhy(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p, _, _ := b.fresh()
	for i, c := range []struct {
		name string
		arg  any
		code string
		says string
	}{
		{"Nope", nil, "unknown_event", `"Nope"`},
		{"Add", "ten", "bad_argument", `Add takes a JSON number (int), got "ten"`},
		{"Add", nil, "bad_argument", "got null"},
		{"Increment", 1, "bad_argument", "takes no argument"},
		{"Refuse", nil, "rejected", "no more seats"},
		{"Crash", nil, "failed", "Crash failed"},
	} {
		p.event(int64(i+1), c.name, c.arg)
		ack := p.want("ack")
		require.NotNil(t, ack.Error, c.name)
		require.Equal(t, c.code, ack.Error.Code)
		require.Contains(t, ack.Error.Message, c.says)
	}
	p.event(7, "Increment", nil)
	require.JSONEq(t, `{"counter":1}`, string(p.want("delta").States["State"]), "the session is unharmed")
}

func TestABadMessageEndsItsConnectionAlone(t *testing.T) { //nolint:tparallel // they share a bystander
	t.Parallel()
	b := newBench(t)
	bystander, welcome, _ := b.fresh()
	hello := `{"type":"hello","new":true,"client":"client00"}`
	for name, c := range map[string]struct {
		frames []string
		code   websocket.StatusCode
		says   string
	}{
		"not JSON":            {[]string{`hello`}, 4400, "not one JSON object"},
		"an array":            {[]string{`[]`}, 4400, "wrong type"},
		"two values":          {[]string{`{"type":"hello"} {}`}, 4400, "something follows"},
		"no type":             {[]string{`{}`}, 4400, "type is missing"},
		"unknown type":        {[]string{`{"type":"dance"}`}, 4400, `"dance"`},
		"event before hello":  {[]string{`{"type":"event","id":1,"name":"Increment"}`}, 4400, `expected "hello"`},
		"hello twice":         {[]string{hello, hello}, 4400, `expected "event"`},
		"no token":            {[]string{`{"type":"hello","client":"client00"}`}, 4400, "exactly one of token and new"},
		"token and new":       {[]string{`{"type":"hello","client":"client00","token":"x","new":true}`}, 4400, "exactly one"},
		"token of wrong type": {[]string{`{"type":"hello","client":"client00","token":7}`}, 4400, `"token" has the wrong type`},
		"forged token":        {[]string{`{"type":"hello","client":"client00","token":"abc.def"}`}, 4401, "not one of this app"},
		"tampered token":      {[]string{fmt.Sprintf(`{"type":"hello","client":"client00","token":%q}`, "x"+welcome.Token)}, 4401, "not one of this app"},
		"bad client":          {[]string{`{"type":"hello","new":true,"client":"me"}`}, 4400, `client is "me"`},
		"after alone":         {[]string{`{"type":"hello","new":true,"client":"client00","after":1}`}, 4400, "come with an epoch"},
		"negative after":      {[]string{`{"type":"hello","new":true,"client":"client00","epoch":"x","after":-1}`}, 4400, "after is -1"},
		"event without id":    {[]string{hello, `{"type":"event","name":"Increment"}`}, 4400, "id is 0"},
		"event without name":  {[]string{hello, `{"type":"event","id":1}`}, 4400, "name is missing"},
		"negative sent":       {[]string{`{"type":"hello","new":true,"client":"client00","sent":-1}`}, 4400, "sent is -1"},
		"not UTF-8":           {[]string{hello, "{\"type\":\"event\",\"id\":1,\"name\":\"Keep\",\"arg\":\"\xff\"}"}, 4400, "not UTF-8"},
		"huge id":             {[]string{hello, `{"type":"event","id":9223372036854775808,"name":"Increment"}`}, 4400, `"id" has the wrong type`},
		"negative id":         {[]string{hello, `{"type":"event","id":-1,"name":"Increment"}`}, 4400, "id is -1"},
		"type named twice":    {[]string{hello, `{"type":"event","id":1,"name":"Increment","type":"hello"}`}, 4400, `type is "hello"`},
		"huge sent":           {[]string{`{"type":"hello","new":true,"client":"client00","sent":1e30}`}, 4400, `"sent" has the wrong type`},
		"null":                {[]string{`null`}, 4400, "type is missing"},
		"deep hello":          {[]string{deep(`{"type":"hello","new":true,"client":"client00","more":%s}`, 64)}, 4400, "nested too deep"},
		"deep argument":       {[]string{hello, deep(`{"type":"event","id":1,"name":"Keep","arg":%s}`, 10_000)}, 4400, "nested too deep"},
		"oversized":           {[]string{hello, `{"type":"event","id":1,"name":"` + strings.Repeat("x", 1<<20) + `"}`}, 1009, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := b.dial()
			p.t = t
			for _, frame := range c.frames {
				require.NoError(t, p.Write(t.Context(), websocket.MessageText, []byte(frame)))
			}
			code, reason, told := p.closed()
			require.Equal(t, c.code, code, reason)
			require.Contains(t, told.Message, c.says)
		})
	}
	p := b.dial()
	require.NoError(t, p.Write(t.Context(), websocket.MessageBinary, []byte(hello)))
	code, _, told := p.closed()
	require.Equal(t, websocket.StatusCode(4400), code)
	require.Contains(t, told.Message, "binary")

	bystander.event(1, "Increment", nil)
	require.Equal(t, int64(1), bystander.want("ack").Revision)
}

// deep puts arrays that are nested so deep in place of the %s.
func deep(frame string, depth int) string {
	return fmt.Sprintf(frame, strings.Repeat("[", depth)+strings.Repeat("]", depth))
}

func TestAnArgumentMayBeNestedAsDeepAsAFrameAllows(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p, welcome, _ := b.fresh()
	require.NoError(t, p.Write(t.Context(), websocket.MessageText, []byte(deep(`{"type":"event","id":1,"name":"Keep","arg":%s}`, 62))))
	require.Nil(t, p.want("ack").Error)
	again, _ := b.open(map[string]any{"token": welcome.Token, "client": "client01"})
	require.Contains(t, string(again.want("snapshot").States["State"]), "[[[[", "what was committed can be read back")
}

func TestMayConnect_SaysWhatTheHandshakeWould(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ask := func(origin string) int {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.server.URL+"/test/socket", nil)
		require.NoError(t, err)
		request.Header.Set("Origin", origin)
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, "*", response.Header.Get("Access-Control-Allow-Origin"))
		return response.StatusCode
	}
	require.Equal(t, http.StatusNoContent, ask(b.server.URL))
	require.Equal(t, http.StatusForbidden, ask("http://evil.example"))
	require.NoError(t, b.Close(t.Context()))
	require.Equal(t, http.StatusServiceUnavailable, ask(b.server.URL))
}

func TestTooManyEventsAtOnceEndTheConnection(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p, welcome, _ := b.fresh()
	p.event(1, "Hang", nil)
	for id := range int64(300) {
		if p.Write(t.Context(), websocket.MessageText, fmt.Appendf(nil, `{"type":"event","id":%d,"name":"Increment"}`, id+2)) != nil {
			break
		}
	}
	code, _, told := p.closed()
	require.Equal(t, websocket.StatusCode(4429), code)
	require.Equal(t, "too_many_events", told.Code)
	again, _ := b.open(map[string]any{"token": welcome.Token, "client": "client01"})
	again.want("snapshot")
	again.event(1, "Increment", nil)
	require.Nil(t, again.want("ack").Error)
}

func TestTheHandshakeIsChecked(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for name, c := range map[string]struct {
		options websocket.DialOptions
		status  int
		says    string
	}{
		"no subprotocol":    {websocket.DialOptions{}, http.StatusBadRequest, "holdfast.v1"},
		"wrong subprotocol": {websocket.DialOptions{Subprotocols: []string{"holdfast.v9", "chat"}}, http.StatusBadRequest, "holdfast.v9"},
		"another origin": {
			websocket.DialOptions{Subprotocols: []string{"holdfast.v1"}, HTTPHeader: http.Header{"Origin": {"http://evil.example"}}},
			http.StatusForbidden, "evil.example",
		},
	} {
		_, response, err := websocket.Dial(t.Context(), b.server.URL+"/test/socket", &c.options)
		require.Error(t, err, name)
		require.Equal(t, c.status, response.StatusCode, name)
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.Contains(t, string(body), c.says, name)
	}
}

func TestCloseSendsPagesAway(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p, _, _ := b.fresh()
	ended := make(chan error, 1)
	go func() { ended <- b.Close(context.Background()) }()
	code, _, _ := p.closed()
	require.Equal(t, websocket.StatusGoingAway, code)
	require.NoError(t, <-ended)

	_, response, err := websocket.Dial(t.Context(), b.server.URL+"/test/socket", &websocket.DialOptions{Subprotocols: []string{"holdfast.v1"}})
	require.Error(t, err)
	require.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
}

func TestPagesAreServed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for path, says := range map[string]string{"/": `href="test/"`, "/test/": "the page", "/test": "the page", "/holdfast.js": "//"} {
		response, err := http.Get(b.server.URL + path)
		require.NoError(t, err)
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, http.StatusOK, response.StatusCode, path)
		require.Contains(t, string(body), says, path)
	}
	response, err := http.Get(b.server.URL + "/nothing")
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusNotFound, response.StatusCode)
}
