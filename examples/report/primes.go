package report

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/holdfast-run/holdfast/activities"
)

// Position is how far the count is.
type Position struct {
	Through int `json:"through"`
	Primes  int `json:"primes"`
}

const (
	block = 1000                  // numbers in one step
	pace  = 10 * time.Millisecond // of the steps, as if each had to wait for something
)

var errStopping = errors.New("the worker stops; another goes on from here")

// CountPrimes counts the primes up to a number. Its heartbeat says how far it is: an attempt that follows one whose worker died
// begins there.
func CountPrimes(ctx context.Context, upTo int) (Position, error) {
	at, err := lastPosition(ctx)
	if err != nil {
		return at, err
	}
	session, err := activities.Session(ctx)
	if err != nil {
		return at, err
	}
	ticker := time.NewTicker(pace)
	defer ticker.Stop()
	for at.Through < upTo {
		select {
		case <-ctx.Done(): // cancelled
			return at, ctx.Err()
		case <-activity.GetWorkerStopChannel(ctx):
			return at, errStopping
		case <-ticker.C:
		}
		at = countBlock(at, upTo)
		activity.RecordHeartbeat(ctx, at)
		if err := session.Apply(ctx, progress, at); err != nil {
			return at, err
		}
	}
	return at, nil
}

func lastPosition(ctx context.Context) (at Position, err error) {
	if !activity.HasHeartbeatDetails(ctx) {
		return at, nil
	}
	if err := activity.GetHeartbeatDetails(ctx, &at); err != nil {
		return at, fmt.Errorf("read the last heartbeat: %w", err)
	}
	return at, nil
}

func countBlock(at Position, upTo int) Position {
	for end := min(at.Through+block, upTo); at.Through < end; {
		at.Through++
		if isPrime(at.Through) {
			at.Primes++
		}
	}
	return at
}

func isPrime(n int) bool {
	for d := 2; d*d <= n; d++ {
		if n%d == 0 {
			return false
		}
	}
	return n > 1
}
