package holdfast_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast"
)

type Deep struct {
	Big   int64            `json:"big"`
	Inner map[string]any   `json:"inner"`
	List  []map[string]any `json:"list"`
	None  *int             `json:"none"`
	Own   string           `json:"_own"`
}

type Computed struct {
	Counter int `json:"counter"`
	Secret  int `json:"_secret"`
}

func (c Computed) View() any {
	return struct {
		Computed
		Double int `json:"double"`
	}{c, 2 * c.Counter}
}

type Panics struct{ A int }

func (p *Panics) View() map[string]int { return map[string]int{"a": 1 / p.A} }

type NoObject struct{ A int }

func (NoObject) View() []int { return nil }

type WrongView struct{ A int }

func (WrongView) View(int) int { return 0 }

func TestWhatBeginsWithAnUnderscoreStaysOnTheServer(t *testing.T) {
	t.Parallel()
	app := holdfast.NewApp("deep", Deep{
		Big:   9007199254740993,
		Inner: map[string]any{"_key": 1, "shown": nil, "kept": 2},
		List:  []map[string]any{{"_key": 1, "null": nil}},
		Own:   "secret",
	})
	require.NoError(t, app.Check())
	views, err := app.Visible(nil)
	require.NoError(t, err)
	require.Equal(t, `{"big":9007199254740993,"inner":{"kept":2},"list":[{"null":null}]}`, string(views["Deep"])) //nolint:testifylint // JSONEq compares numbers as floats
}

func TestAStateMayDefineItsView(t *testing.T) {
	t.Parallel()
	app := holdfast.NewApp("computed", Computed{Counter: 2, Secret: 3})
	require.NoError(t, app.Check())
	views, err := app.Visible(holdfast.Documents{"Computed": json.RawMessage(`{"counter":5,"_secret":3}`)})
	require.NoError(t, err)
	require.JSONEq(t, `{"counter":5,"double":10}`, string(views["Computed"]))
}

func TestAViewThatPanicsIsContained(t *testing.T) {
	t.Parallel()
	app := holdfast.NewApp("panics", Panics{A: 1})
	require.NoError(t, app.Check())
	_, err := app.Visible(holdfast.Documents{"Panics": json.RawMessage(`{"A":0}`)})
	var panicked *holdfast.PanicError
	require.ErrorAs(t, err, &panicked)
	require.Equal(t, "Panics.View", panicked.Function)
}

func TestWrongViewsAreRefused(t *testing.T) {
	t.Parallel()
	require.ErrorContains(t, holdfast.NewApp("x", NoObject{}).Check(), "JSON object")
	require.ErrorContains(t, holdfast.NewApp("x", WrongView{}).Check(), "View must be func() T")
	require.ErrorContains(t, holdfast.NewApp("x", Panics{}).Check(), "View")
}
