package starter

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast"
)

func TestPatience_EndsSlowlyAndComesBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := patience{most: 500 * time.Millisecond}
		for range freeRefusals {
			p.note("a")
		}
		require.Zero(t, p.pause("a"), "a few cost nothing")
		p.note("a")
		require.Equal(t, refusalStep, p.pause("a"))
		for range 1000 {
			p.note("a")
		}
		require.Equal(t, p.most, p.pause("a"))
		require.Zero(t, p.pause("b"), "others are not touched")
		time.Sleep(15 * time.Second)
		require.Zero(t, p.pause("a"))
	})
}

func TestPatience_KeepsABoundedNumberInMind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := patience{most: time.Second}
		var c costs
		for round := range 2 {
			for i := range maxKept + 10 {
				p.note(fmt.Sprint(round, "-", i))
				c.charge(holdfast.SessionID(fmt.Sprint(round, "-", i)), 1)
			}
			require.LessOrEqual(t, len(p.refused), maxKept)
			time.Sleep(time.Minute)
		}
		require.Contains(t, p.refused, "1-0", "there is room again")
		require.LessOrEqual(t, len(c.all), maxKept+10)
	})
}

func TestCosts_HoldUpNoEventForLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var c costs
		for range costBurst {
			require.Zero(t, c.charge("a", 1))
		}
		require.Equal(t, time.Second/costRate, c.charge("a", 1))
		require.Zero(t, c.charge("a", 0), "an event that costs nothing waits for nothing")
		require.Zero(t, c.charge("b", 1))
		time.Sleep(time.Minute)
		for range costBurst / maxCost {
			require.Zero(t, c.charge("a", 1_000_000))
		}
		require.Equal(t, time.Second, c.charge("a", 1_000_000))
	})
}

func TestAddressOf_IsThatOfOnePeer(t *testing.T) {
	t.Parallel()
	for remote, address := range map[string]string{
		"192.0.2.1:80":           "192.0.2.1",
		"[::ffff:192.0.2.1]:80":  "192.0.2.1",
		"[2001:db8:1:2:3::4]:80": "2001:db8:1:2::/64",
		"[fe80::1%eth0]:80":      "fe80::/64",
		"@":                      "@",
	} {
		require.Equal(t, address, addressOf(remote))
	}
}
