package state

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/holdfast-run/holdfast"
)

const (
	// probeTime is how long the store may take to hold a session and commit before it counts as away.
	probeTime = 2 * time.Second
	// probeEvery is how long the result of a probe is good for others.
	probeEvery = time.Second
)

// prober finds out whether the store takes commits, once for all who ask at the same time.
type prober struct {
	session holdfast.SessionID // one of the process's own, of no app: no caller waits for it

	mu   sync.Mutex // protects last
	last *probe
}

// probe is one attempt.
type probe struct {
	done  chan struct{} // closed when what follows is set
	err   error
	ended time.Time
}

// newProber returns one whose session is of an app that no program can have.
func newProber() *prober { return &prober{session: holdfast.SessionID("_probe-" + rand.Text())} }

// begin returns the last probe if it is fresh enough, or else a new one, which the caller must run.
func (p *prober) begin() (current *probe, mine bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last != nil {
		select {
		case <-p.last.done:
			if time.Since(p.last.ended) < probeEvery {
				return p.last, false
			}
		default:
			return p.last, false
		}
	}
	p.last = &probe{done: make(chan struct{})}
	return p.last, true
}

// Probe reports whether the store takes commits at present: it holds a small session of its own and commits to it twice, the
// same way as a section. So it fails where a section would: with a store that is away or silent, that is full, or that can
// only be read. It takes two seconds at most, or as long as ctx lives; calls within a second share one result, so it may be
// called as often as a load balancer likes. The session is removed like others when it is no longer used.
func (s *Service) Probe(ctx context.Context) error {
	current, mine := s.prober.begin()
	if mine {
		current.err = s.probe(ctx)
		current.ended = time.Now()
		close(current.done)
	}
	select {
	case <-current.done:
		return current.err
	case <-ctx.Done():
		return fmt.Errorf("probe the store: %w", ctx.Err())
	}
}

// probe does not end with who happened to be the first to ask. It takes some room and gives it back: what it kept for itself, it
// would find again on a disk that has none for others.
func (s *Service) probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeTime)
	defer cancel()
	const size = 4096 // of random bytes, so that they cannot be compressed
	random := make([]byte, size)
	_, _ = rand.Read(random) // it never fails
	for _, body := range []string{`"` + hex.EncodeToString(random) + `"`, "null"} {
		if err := s.put(ctx, s.prober.session, body); err != nil {
			return fmt.Errorf("probe the store: %w", err)
		}
	}
	return nil
}

// put commits a document that no page sees.
func (s *Service) put(ctx context.Context, session holdfast.SessionID, body string) error {
	held, err := s.driver.Acquire(ctx, Claim{Session: session, Lease: s.opts.Lease})
	if err != nil {
		return fmt.Errorf("hold a session: %w", err)
	}
	defer held.Release()
	r := held.Record()
	err = held.Commit(ctx, &Commit{
		Epoch: cmp.Or(r.Epoch, randomID(8)), Version: r.Version + 1, Revision: r.Revision, LastMessage: r.LastMessage,
		Documents: holdfast.Documents{"Probe": json.RawMessage(body)},
	})
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}
