package postgres_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/state"
)

// testProbeFailsWhenTheServerOnlyReads, and when it is silent.
func testProbeFailsWhenTheServerOnlyReads(t *testing.T, address string) {
	p, d, _ := fragile(t, address)
	s := state.Open(d, state.Options{})
	t.Cleanup(func() { _ = s.Close() })
	require.NoError(t, s.Probe(t.Context()))
	fails := func() bool { return s.Probe(t.Context()) != nil }
	sql(t, address, readOnly("SET default_transaction_read_only = on")+disconnect)
	require.Eventually(t, fails, time.Minute, 10*time.Millisecond)
	require.ErrorContains(t, s.Probe(t.Context()), "the server can only be read")
	sql(t, address, "SET transaction_read_only = off;"+readOnly("RESET default_transaction_read_only"))
	require.Eventually(t, func() bool { return !fails() }, time.Minute, 10*time.Millisecond)

	p.fallsSilent(true)
	require.Eventually(t, fails, time.Minute, 10*time.Millisecond)
}
