package starter_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast"
)

// maxAnswer is the length of the longest answer to what is refused, whatever was sent.
const maxAnswer = 700

// Seat is the argument of an event of these tests.
type Seat struct {
	Row int `json:"row"`
}

func Sit(*holdfast.Tx, *State, Seat) error            { return nil }
func Parrot(_ *holdfast.Tx, _ *State, s string) error { return holdfast.Reject("%s", s) }

// huge is a JSON string that takes up most of a frame of the given length.
func huge(frame int) string { return `"` + strings.Repeat(`<é\u0001`, (frame-200)/9) + `"` }

func TestRefusal_IsShortWhateverIsSent(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	hello := `{"type":"hello","new":true,"client":"client00"}`
	early, late := huge(64<<10), huge(1<<20)
	event := func(name, arg string) string { return `{"type":"event","id":1,"name":` + name + `,"arg":` + arg + `}` }
	for name, frames := range map[string][]string{
		"unknown type":        {`{"type":` + early + `}`},
		"type of wrong type":  {`{"type":[` + early + `]}`},
		"client":              {`{"type":"hello","new":true,"client":` + early + `}`},
		"token":               {`{"type":"hello","client":"client00","token":` + early + `}`},
		"number":              {`{"type":"hello","new":true,"client":"client00","epoch":"x","after":` + strings.Repeat("9", 60<<10) + `}`},
		"not JSON":            {early[:len(early)-1]},
		"unknown later":       {hello, `{"type":` + late + `}`},
		"id":                  {hello, `{"type":"event","id":` + strings.Repeat("9", 1<<19) + `}`},
		"unknown event":       {hello, event(late, "1")},
		"argument":            {hello, event(`"Add"`, late)},
		"argument too many":   {hello, event(`"Increment"`, late)},
		"unknown member":      {hello, event(`"Sit"`, `{`+late+`:1}`)},
		"member":              {hello, event(`"Sit"`, `{"row":`+late+`}`)},
		"cancel":              {hello, event(`"holdfast.cancel"`, late)},
		"cancel of an object": {hello, event(`"holdfast.cancel"`, `[`+late+`]`)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := b.dial()
			p.t = t
			for _, frame := range frames {
				require.NoError(t, p.Write(t.Context(), websocket.MessageText, []byte(frame)))
			}
			require.LessOrEqual(t, len(p.refusal()), maxAnswer)
		})
	}
}

// An author's sentence that repeats what was sent is bounded as well, further out.
func TestRefusal_BoundsAnAuthorsSentence(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p, _, _ := b.fresh()
	p.event(1, "Parrot", strings.Repeat("é", 400_000))
	require.LessOrEqual(t, len(p.refusal()), 1200)
}

// refusal reads until something is refused, and returns the frame that says so.
func (p page) refusal() string {
	p.t.Helper()
	for {
		_, frame, err := p.Read(p.t.Context())
		require.NoError(p.t, err)
		var m message
		require.NoError(p.t, json.Unmarshal(frame, &m))
		if m.Error != nil || m.Type == "error" {
			return string(frame)
		}
	}
}

func TestHello_IsRefusedOver64KiB(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p := b.dial()
	require.NoError(t, p.Write(t.Context(), websocket.MessageText, []byte(`{"type":`+huge(70<<10)+`}`)))
	code, _, _ := p.closed()
	require.Equal(t, websocket.StatusMessageTooBig, code)

	greeted := b.settled()
	greeted.event(2, "Say", strings.Repeat("x", 100<<10)) // once it is greeted a client may send more
	require.Nil(t, greeted.want("ack").Error)
}

func TestHandshake_NamesFewOfTheSubprotocolsOffered(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	offers := strings.Repeat("a,", 10_000) + strings.Repeat("b", 100_000)
	_, response, err := websocket.Dial(t.Context(), b.server.URL+"/test/socket", &websocket.DialOptions{
		HTTPHeader: http.Header{"Sec-Websocket-Protocol": {offers}},
	})
	require.Error(t, err)
	require.Equal(t, http.StatusBadRequest, response.StatusCode)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.LessOrEqual(t, len(body), maxAnswer)
}
