package statetest

import (
	"encoding/json"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

// State is what the program of testUnknownMembers knows of the document "State".
type State struct {
	Count int    `json:"count"`
	Items []Item `json:"items"`
}

// Item is an element of a State.
type Item struct {
	ID int `json:"id"`
}

// testUnknownMembers commits with a program that knows less of a document than the one that wrote it.
func testUnknownMembers(b *bench) {
	const stored = `{"new":"<\u2028 é","Count":1,"items":[{"id":1,"New":1.0},{"id":2,"new":12345678901234567890}]}`
	b.put(b, session, 0, func(c *state.Commit) { c.Documents["State"] = json.RawMessage(stored) })
	app := holdfast.NewApp("test", State{Items: []Item{}})
	b.must(app.Check())
	service := state.Open(b.Driver, state.Options{})
	b.Cleanup(func() { _ = service.Close() })
	b.must(service.Do(b.Context(), app, session, func(_ *holdfast.Tx, s *State) error {
		s.Count++
		s.Items = s.Items[1:]
		return nil
	}))
	record, _, err := b.Load(b.Context(), session)
	b.must(err)
	want := `{"count":2,"items":[{"id":2,"new":12345678901234567890}],"new":"<\u2028 é"}`
	b.is(record.Documents["State"], json.RawMessage(want), "the document")
}
