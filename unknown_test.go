package holdfast_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast"
)

// Item is an element of today's program; what a newer one knows of it as well is in the tests.
type Item struct {
	ID   int    `json:"id"`
	Note string `json:"note,omitempty"`
}

// Base is embedded in Today.
type Base struct {
	Owner string `json:"owner"`
}

// Own writes itself, so its members are not known.
type Own struct{ N int }

// MarshalJSON writes the number alone.
func (o Own) MarshalJSON() ([]byte, error) { return json.Marshal(map[string]int{"n": o.N}) }

// UnmarshalJSON reads the number and passes everything else over.
func (o *Own) UnmarshalJSON(raw []byte) error {
	var v struct{ N int }
	err := json.Unmarshal(raw, &v)
	o.N = v.N
	return err
}

// Today is a state as today's program has it.
type Today struct {
	Base
	Count int             `json:"count"`
	Inner Item            `json:"inner"`
	Maybe *Item           `json:"maybe,omitempty"`
	Zero  Item            `json:"zero,omitzero"`
	ByKey map[string]Item `json:"by_key"`
	List  []Item          `json:"list"`
	Pair  [2]Item         `json:"pair"`
	Own   Own             `json:"own"`
	Any   any             `json:"any"`
	At    time.Time       `json:"at"`
}

// after runs a function on the stored document and returns what is stored then.
func after(t *testing.T, stored string, change func(*Today)) string {
	t.Helper()
	app := holdfast.NewApp("test", today())
	require.NoError(t, app.Check())
	docs := holdfast.Documents{"Today": json.RawMessage(stored)}
	out, err := run(t, app, func(_ *holdfast.Tx, s *Today) error { change(s); return nil }, docs, "")
	require.NoError(t, err)
	if doc := out.Documents["Today"]; doc != nil {
		return string(doc)
	}
	return stored
}

func today() Today { return Today{ByKey: map[string]Item{}, List: []Item{}} }

func TestUnknownMembers_SurviveCommit(t *testing.T) {
	t.Parallel()
	count := func(s *Today) { s.Count++ }
	for name, c := range map[string]struct {
		stored string
		change func(*Today)
		want   string // of these members; others are as before
	}{
		"at the top":            {`{"count":1,"new":{"a":[1]}}`, count, `{"count":2,"new":{"a":[1]}}`},
		"in a struct":           {`{"inner":{"id":1,"new":2}}`, func(s *Today) { s.Inner.ID = 5 }, `{"inner":{"id":5,"new":2}}`},
		"behind a pointer":      {`{"maybe":{"id":1,"new":2}}`, func(s *Today) { s.Maybe.ID = 5 }, `{"maybe":{"id":5,"new":2}}`},
		"beside an embedded":    {`{"owner":"a","new":2}`, func(s *Today) { s.Owner = "b" }, `{"owner":"b","new":2}`},
		"by key":                {`{"by_key":{"a":{"id":1,"new":2},"b":{"id":3,"new":4}}}`, func(s *Today) { s.ByKey["a"] = Item{ID: 9}; delete(s.ByKey, "b") }, `{"by_key":{"a":{"id":9,"new":2}}}`},
		"in an element":         {`{"list":[{"id":1,"new":2},{"id":3,"new":4}]}`, func(s *Today) { s.List[1].ID = 7 }, `{"list":[{"id":1,"new":2},{"id":7,"new":4}]}`},
		"of moved elements":     {`{"list":[{"id":1,"new":2},{"id":3,"new":4}]}`, func(s *Today) { slices.Reverse(s.List) }, `{"list":[{"id":3,"new":4},{"id":1,"new":2}]}`},
		"after a removed one":   {`{"list":[{"id":1,"new":2},{"id":3,"new":4}]}`, func(s *Today) { s.List = s.List[1:] }, `{"list":[{"id":3,"new":4}]}`},
		"before an added one":   {`{"list":[{"id":1,"new":2}]}`, func(s *Today) { s.List = append(s.List, Item{ID: 1}) }, `{"list":[{"id":1,"new":2},{"id":1}]}`},
		"in an array":           {`{"pair":[{"id":1,"new":2}]}`, func(s *Today) { s.Pair[0].ID = 3 }, `{"pair":[{"id":3,"new":2},{"id":0}]}`},
		"of an omitted zero":    {`{"zero":{"new":2}}`, count, `{"count":1,"zero":{"new":2}}`},
		"of a zero that is set": {`{"zero":{"new":2}}`, func(s *Today) { s.Zero.ID = 1 }, `{"zero":{"id":1,"new":2}}`},
		"in another case":       {`{"COUNT":1,"New":2,"Inner":{"ID":3,"NEW":4}}`, func(s *Today) { s.Count++; s.Inner.ID++ }, `{"count":2,"New":2,"inner":{"id":4,"NEW":4}}`},
	} {
		var want, got map[string]any
		require.NoError(t, json.Unmarshal([]byte(after(t, c.stored, c.change)), &got), name)
		require.NoError(t, json.Unmarshal([]byte(c.want), &want), name)
		for member, value := range want {
			require.Equal(t, value, got[member], "%s: %s", name, member)
		}
		known := []string{"owner", "count", "inner", "maybe", "zero", "by_key", "list", "pair", "own", "any", "at"}
		for member := range got {
			_, wanted := want[member]
			require.True(t, wanted || slices.Contains(known, member), "%s: %s came from nowhere", name, member)
		}
	}
}

func TestUnknownMembers_GoWithWhatIsRemoved(t *testing.T) {
	t.Parallel()
	stored := `{"maybe":{"id":1,"new":2},"zero":{"id":1,"new":2},"inner":{"id":1,"note":"x","new":2},"by_key":{"a":{"new":1}},"list":[{"new":1}],"own":{"n":1,"new":2},"new":1}`
	var got map[string]any
	require.NoError(t, json.Unmarshal([]byte(after(t, stored, func(s *Today) {
		s.Maybe, s.Zero, s.Inner.Note, s.ByKey, s.List, s.Own.N = nil, Item{}, "", nil, nil, 2
	})), &got))
	require.NotContains(t, got, "maybe")
	require.NotContains(t, got, "zero")
	require.Equal(t, map[string]any{"id": 1.0, "new": 2.0}, got["inner"])
	require.Nil(t, got["by_key"])
	require.Nil(t, got["list"])
	require.Equal(t, map[string]any{"n": 2.0}, got["own"], "a type that writes itself is written whole")
	require.Equal(t, 1.0, got["new"])
}

func TestUnknownMembers_AreNoChange(t *testing.T) {
	t.Parallel()
	app := holdfast.NewApp("test", today())
	docs := holdfast.Documents{"Today": json.RawMessage(`{"new":1,"count":1,"inner":{"new":2}}`)}
	out, err := run(t, app, func(*holdfast.Tx, *Today) error { return nil }, docs, "")
	require.NoError(t, err)
	require.False(t, out.Changes())
}

func TestLook_IsNoChangeOfWhatAnotherProgramWrote(t *testing.T) {
	t.Parallel()
	app := holdfast.NewApp("test", today())
	for _, stored := range []string{`{"count":1}`, `{"COUNT":1}`, `{"count":1,"new":2}`} {
		docs := holdfast.Documents{"Today": json.RawMessage(stored)}
		look := func(change func(*Today)) error {
			handler, err := app.Handler(func(_ *holdfast.Tx, s *Today) error { change(s); return nil })
			require.NoError(t, err)
			return handler.Look(t.Context(), session, docs)
		}
		require.NoError(t, look(func(*Today) {}), stored)
		require.ErrorIs(t, look(func(s *Today) { s.Count++ }), holdfast.ErrImmutableState)
	}
}

// newer is Today as a newer program has it: each Item knows more.
type newer struct {
	Today
	Extra string               `json:"extra"`
	Inner newerItem            `json:"inner"`
	ByKey map[string]newerItem `json:"by_key"`
	List  []newerItem          `json:"list"`
}

type newerItem struct {
	Item
	Extra map[string]int `json:"extra"`
}

func randomNewer(random *rand.Rand) newer {
	n := 0
	item := func() newerItem {
		n++
		return newerItem{Item: Item{ID: n, Note: []string{"", "x"}[random.IntN(2)]}, Extra: map[string]int{"e": random.IntN(100)}}
	}
	value := newer{Extra: fmt.Sprint(random.IntN(100)), Inner: item(), ByKey: map[string]newerItem{}, List: []newerItem{}}
	for range random.IntN(5) {
		value.ByKey[string(rune('a'+random.IntN(8)))] = item()
		value.List = append(value.List, item())
	}
	return value
}

// changeBoth makes the same change to the state of today's program and to that of the newer one.
func changeBoth(random *rand.Rand, s *Today, m *newer) {
	fresh := Item{ID: 1000 + random.IntN(1000)}
	switch random.IntN(7) {
	case 0:
		s.Count, m.Today.Count = fresh.ID, fresh.ID
	case 1:
		s.Inner, m.Inner.Item = fresh, fresh
	case 2:
		s.List, m.List = append(s.List, fresh), append(m.List, newerItem{Item: fresh})
	case 3:
		for i := range s.List { // in place
			s.List[i].Note, m.List[i].Note = "changed", "changed"
		}
	case 4:
		if len(s.List) > 0 {
			i := random.IntN(len(s.List))
			s.List, m.List = slices.Delete(s.List, i, i+1), slices.Delete(m.List, i, i+1)
		}
	case 5:
		random.Shuffle(len(s.List), func(i, j int) {
			s.List[i], s.List[j] = s.List[j], s.List[i]
			m.List[i], m.List[j] = m.List[j], m.List[i]
		})
	case 6:
		for _, key := range slices.Sorted(maps.Keys(s.ByKey)) {
			if random.IntN(2) == 0 {
				delete(s.ByKey, key)
				delete(m.ByKey, key)
			} else {
				s.ByKey[key], m.ByKey[key] = fresh, newerItem{fresh, m.ByKey[key].Extra}
			}
		}
	}
}

// TestUnknownMembers_MatchModel compares random changes of today's program with the same changes
// made by a program that knows all members.
func TestUnknownMembers_MatchModel(t *testing.T) {
	t.Parallel()
	for seed := range uint64(400) {
		random := rand.New(rand.NewPCG(seed, 1))
		model := randomNewer(random)
		stored, err := json.Marshal(model)
		require.NoError(t, err)
		got := after(t, string(stored), func(s *Today) { changeBoth(random, s, &model) })
		want, err := json.Marshal(model)
		require.NoError(t, err)
		var again newer
		require.NoError(t, json.Unmarshal([]byte(got), &again))
		reread, err := json.Marshal(again)
		require.NoError(t, err)
		require.Equal(t, string(want), string(reread), "seed %d: from %s to %s", seed, stored, got) //nolint:testifylint // texts of one encoder
	}
}
