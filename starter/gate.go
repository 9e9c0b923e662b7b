package starter

import (
	"context"
	"runtime"
	"sync"
	"time"
)

const (
	// bigFrame is the length in bytes from which a frame is a big one, whose work may have to wait for that of others.
	bigFrame = 16 << 10
	// gateTime is how long big work may keep others from theirs. What takes longer waits, more likely than not, and counts no
	// longer.
	gateTime = 50 * time.Millisecond
)

// gate lets big frames be worked on by half of the processors at most, first come first served, so that small ones find one
// free at once: twenty frames of 1 MiB at a time would otherwise make every event wait for a hundred milliseconds.
type gate struct {
	slots chan struct{}
}

func newGate() gate { return gate{slots: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2))} }

// enter waits until work on so many bytes may begin. leave, which may be called again, ends it.
func (g gate) enter(ctx context.Context, bytes int) (leave func(), err error) {
	if bytes < bigFrame {
		return func() {}, nil
	}
	select {
	case g.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	free := sync.OnceFunc(func() { <-g.slots })
	timer := time.AfterFunc(gateTime, free)
	return func() {
		timer.Stop()
		free()
	}, nil
}
