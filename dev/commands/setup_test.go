package commands_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/dev/e2e/fast"
	"github.com/holdfast-run/holdfast/dev/embedded"
)

func apps() []*holdfast.App { return []*holdfast.App{fast.App(), private()} }

func TestWhatIsMissingInTemporalIsToldAndCreatedOnRequest(t *testing.T) {
	server := startTemporal(t, embedded.Options{})
	s := newSetting(t, server.Address())
	_, err := s.run("worker", "--temporal-namespace=orders")
	require.ErrorContains(t, err, `the namespace "orders" (temporal.namespace) is missing in Temporal at `+server.Address()+"; create it with --setup")
	_, err = s.run("starter")
	require.ErrorContains(t, err, "the search attributes HoldfastApp, HoldfastTask, HoldfastSession are missing in Temporal, in the namespace")
	require.ErrorContains(t, err, "temporal operator search-attribute create -n default --type Keyword --name HoldfastApp")

	require.Contains(t, s.start("worker", "--temporal-search-attributes=false"), "Ready: task queue holdfast of namespace default")
	require.Contains(t, s.start("worker", "--temporal-namespace=orders", "--setup"), "of namespace orders")
	require.Contains(t, s.start("starter", "--temporal-namespace=orders"), "Ready: http://", "nothing is missing any more")
}

func TestASearchAttributeOfAnotherTypeIsRefused(t *testing.T) {
	server := startTemporal(t, embedded.Options{})
	s := newSetting(t, server.Address())
	wrong := embedded.TaskAttributes()
	wrong["HoldfastTask"] = enums.INDEXED_VALUE_TYPE_INT
	_, err := dial(t, server.Address()).OperatorService().AddSearchAttributes(t.Context(), &operatorservice.AddSearchAttributesRequest{
		Namespace: "default", SearchAttributes: wrong,
	})
	require.NoError(t, err)
	_, err = s.run("starter")
	for err != nil && strings.Contains(err.Error(), "missing in Temporal, in") { // the server has not heard of them yet
		_, err = s.run("starter")
	}
	require.ErrorContains(t, err, "the search attribute HoldfastTask of the namespace \"default\" is of type Int; expected Keyword")
}

func TestWorkflowsAreFoundByAppTaskAndSession(t *testing.T) {
	server := startTemporal(t, embedded.Options{SearchAttributes: embedded.TaskAttributes()})
	s := newSetting(t, server.Address())
	s.start("worker")
	page := open(t, urlOf(t, s.start("starter")))
	page.send("CountTo", 1)
	page.untilIdle(1)
	for _, query := range []string{`HoldfastApp="fast"`, `HoldfastTask="Count"`, `HoldfastSession="` + page.session + `"`} {
		require.Equal(t, 1, found(t, server.Address(), query), query)
	}
}

func TestATaskStartsAlthoughTheSearchAttributesAreGone(t *testing.T) {
	server := startTemporal(t, embedded.Options{SearchAttributes: embedded.TaskAttributes()})
	s := newSetting(t, server.Address())
	s.start("worker")
	page := open(t, urlOf(t, s.start("starter")))
	_, err := dial(t, server.Address()).OperatorService().RemoveSearchAttributes(t.Context(), &operatorservice.RemoveSearchAttributesRequest{
		Namespace: "default", SearchAttributes: []string{"HoldfastTask"},
	})
	require.NoError(t, err)
	page.send("CountTo", 1)
	page.untilIdle(1)
}

func TestTheDoctorSaysWhatIsThereAndWhatIsWrong(t *testing.T) {
	server := startTemporal(t, embedded.Options{SearchAttributes: embedded.TaskAttributes()})
	s := newSetting(t, server.Address())
	out, err := s.run("doctor")
	require.NoError(t, err, out)
	for _, line := range []string{
		`ok     state       sqlite:\S+ takes commits, and answers within`, `ok     durability  SQLite keeps over the death of a process: everything; `,
		`ok     temporal    server 1\.\S+ at 127`, `ok     namespace   default is there, with its`,
		`ok     workers     0 poll the task queue holdfast`, `ok     timers      -?\d+ms late; starter\.nap_below=`,
	} {
		require.Regexp(t, line, out)
	}
	out, err = s.run("doctor", "--temporal-namespace=orders", "--state-url=redis://127.0.0.1:1")
	require.ErrorContains(t, err, "of the checks failed")
	require.Regexp(t, `WRONG  state`, out)
	require.Regexp(t, `WRONG  namespace   the namespace "orders"`, out)
	out, err = s.run("doctor", "--temporal-address=127.0.0.1:1")
	require.ErrorContains(t, err, "1 of the checks failed")
	require.Regexp(t, `WRONG  temporal`, out)
}

func TestTheDoctorFindsAServerWithStockTimers(t *testing.T) {
	server := startTemporal(t, embedded.Options{
		SearchAttributes: embedded.TaskAttributes(),
		DynamicConfig:    map[string]any{"history.timerProcessorMaxTimeShift": "1s"},
	})
	out, err := newSetting(t, server.Address()).run("doctor")
	require.NoError(t, err, out)
	require.Regexp(t, `\d{3}ms late; starter\.nap_below=\S+s would fit better than 100ms`, out)
}
