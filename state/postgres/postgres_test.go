package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/postgres"
	"github.com/holdfast-run/holdfast/state/postgres/postgrestest"
	"github.com/holdfast-run/holdfast/state/statetest"
)

func open(t testing.TB, url string) *postgres.Driver {
	t.Helper()
	driver, err := postgres.Open(t.Context(), url, postgres.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = driver.Close() })
	return driver
}

func TestConformance(t *testing.T) {
	t.Parallel()
	server := postgrestest.Start(t)
	report := statetest.Run(t, func(t testing.TB) statetest.Store { //nolint:thelper // a step of the test
		url := server.Database(t)
		return statetest.Store{Shared: true, Clock: true, Open: func(t testing.TB) state.Driver { //nolint:thelper // as above
			return open(t, url)
		}}
	})
	require.Empty(t, report.Skipped, "PostgreSQL has all that a case may need")
}

// TestDriver runs what needs a database, but no server of its own.
func TestDriver(t *testing.T) {
	t.Parallel()
	server := postgrestest.Start(t)
	for name, test := range map[string]func(t *testing.T, address string){
		"AHoldOutlivesItsConnection":              testAHoldOutlivesItsConnection,
		"WhatWasBrokenOffIsTriedAgain":            testWhatWasBrokenOffIsTriedAgain,
		"ALeaseBeginsWhenTheRowIsHad":             testALeaseBeginsWhenTheRowIsHad,
		"ExpiryIsOneProcesssAtATime":              testExpiryIsOneProcesssAtATime,
		"PartitioningKeepsWhatIsThere":            testPartitioningKeepsWhatIsThere,
		"ExpiryIsInBatches":                       testExpiryIsInBatches,
		"TimeoutsOfARoleDoNotCount":               testTimeoutsOfARoleDoNotCount,
		"JSONKeepsItsBytes":                       testJSONKeepsItsBytes,
		"AFaultIsReturnedAsItIs":                  testAFaultIsReturnedAsItIs,
		"AServerThatTurnsReadOnly":                testAServerThatTurnsReadOnly,
		"WaitingTakesNoConnection":                testWaitingTakesNoConnection,
		"AWatchThatBreaksEndsWithAnError":         testAWatchThatBreaksEndsWithAnError,
		"NoticesNameTheSession":                   testNoticesNameTheSession,
		"AMissedNoticeIsFoundByReading":           testAMissedNoticeIsFoundByReading,
		"ACommitWhoseAnswerIsLostIsWrittenOnce":   testACommitWhoseAnswerIsLostIsWrittenOnce,
		"ACommitThatIsLostIsSentAgain":            testACommitThatIsLostIsSentAgain,
		"ADoubtIsNoLostLock":                      testADoubtIsNoLostLock,
		"ALostLockIsToldInSpiteOfALostConnection": testALostLockIsToldInSpiteOfALostConnection,
		"AHoldWhoseAnswerIsLostIsHad":             testAHoldWhoseAnswerIsLostIsHad,
		"ASilentConnectionIsReplaced":             testASilentConnectionIsReplaced,
		"ACommitWhoseAnswerIsSwallowed":           testACommitWhoseAnswerIsSwallowed,
		"ASilentWatchEnds":                        testASilentWatchEnds,
		"ASilentServerIsAnError":                  testASilentServerIsAnError,
		"ARowThatIsLockedIsNoSilence":             testARowThatIsLockedIsNoSilence,
		"ProbeFailsWhenTheServerOnlyReads":        testProbeFailsWhenTheServerOnlyReads,
		"DurabilityFollowsTheSettings":            testDurabilityFollowsTheSettings,
		"ManyOpenANewDatabaseAtOnce":              testManyOpenANewDatabaseAtOnce,
		"SchemasAreApart":                         testSchemasAreApart,
		"AUserWithItsSchemaNeedsNoMore":           testAUserWithItsSchemaNeedsNoMore,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, server.Database(t))
		})
	}
}
