package state

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/telemetry"
)

// Service is the state service over one [Driver]: every access to a session goes through it. All its methods are safe
// for concurrent use.
type Service struct {
	driver Driver
	opts   Options
	log    *slog.Logger
	queue  *queue
	hub    *hub
	now    func() time.Time // by which sections are measured
	prober *prober

	tracer  telemetry.Tracer
	metrics *metrics

	stop    context.CancelFunc
	stopped sync.WaitGroup
}

// Open returns a service on the driver and begins to watch the store and to expire old sessions. The service owns the
// driver from here on.
func Open(driver Driver, o Options) *Service {
	o = o.WithDefaults()
	ctx, stop := context.WithCancel(context.Background())
	s := &Service{driver: driver, opts: o, queue: newQueue(), hub: newHub(), prober: newProber(), now: time.Now, stop: stop}
	s.tracer = telemetry.NewTracer(o.TracerProvider, scope)
	s.log = s.tracer.Logger(o.Logger)
	var err error
	if s.metrics, err = newMetrics(o.MeterProvider); err != nil {
		s.log.Error("some metrics will be missing", "err", err)
	}
	s.stopped.Go(func() { s.watch(ctx) })
	s.stopped.Go(func() { s.expire(ctx) })
	return s
}

// Close stops watching, waits for that, and closes the driver. Calls that are still running fail. It may be called again.
func (s *Service) Close() error {
	s.stop()
	s.stopped.Wait()
	return s.driver.Close()
}

// Deadline is how long a section may take.
func (s *Service) Deadline() time.Duration { return s.opts.Deadline }

// Touch keeps the session from expiring, as every section does too, and the owner (of a [Key]; empty: none) from being forgotten
// by the ledger. A client that only looks on needs it.
func (s *Service) Touch(ctx context.Context, session holdfast.SessionID, owner string) error {
	return s.driver.Touch(ctx, session, owner)
}

// watch hears of other processes' commits. A watch that breaks is begun anew; what was missed meanwhile is made good by
// telling everyone to look.
func (s *Service) watch(ctx context.Context) {
	const pause = time.Second
	for ctx.Err() == nil {
		err := s.driver.Watch(ctx, s.hub.tell)
		if ctx.Err() != nil {
			return
		}
		s.log.WarnContext(ctx, "watching the store broke; beginning anew", "err", err)
		wait(ctx, pause)
		s.hub.tell(Notice{All: true, Outbox: true})
	}
}

// expire removes sessions that nobody uses, a few times within their time to live.
func (s *Service) expire(ctx context.Context) {
	const (
		parts       = 10
		ledgerOwner = 24 * time.Hour
	)
	for wait(ctx, s.opts.ExpireAfter/parts) {
		removed, err := s.driver.Expire(ctx, Expiry{Idle: s.opts.ExpireAfter, Ledger: ledgerOwner})
		if err != nil && !errors.Is(err, context.Canceled) {
			s.log.WarnContext(ctx, "removing expired sessions failed; trying again later", "err", err)
		}
		if removed > 0 {
			s.log.InfoContext(ctx, "removed expired sessions", "sessions", removed)
		}
	}
}

// wait reports whether the pause passed before ctx ended.
func wait(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
