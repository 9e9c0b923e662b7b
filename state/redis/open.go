package redis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/holdfast-run/holdfast/state"
)

// Options tune a driver. The zero value is good.
type Options struct {
	// Prefix begins the names of all keys; drivers with different prefixes on one server know nothing of each other. It has none
	// of the characters {}*?[]\. Defaults to "holdfast".
	Prefix string
	// Logger gets warnings about settings of the server that endanger what is kept there. Defaults to slog.Default.
	Logger *slog.Logger
}

// Driver keeps sessions in Redis. It is safe for concurrent use.
type Driver struct {
	client    goredis.UniversalClient
	clustered bool
	address   string // of the servers, for people
	keys      keys
	scripts   scripts
	log       *slog.Logger

	lines     *lines
	bells     *bells
	freed     *goredis.PubSub
	announcer *announcer // of a cluster; nil: notices are part of commits
	repairer  *repairer  // of a cluster; nil: nothing is to be repaired
	stopped   sync.WaitGroup

	ending sync.Mutex // keeps later and Close apart
	close  sync.Once
	open   context.Context // ends with the driver
	stop   context.CancelFunc
	closed <-chan struct{} // closed when open ends
}

var _ state.Driver = (*Driver)(nil)

var errClosed = errors.New("redis: the driver is closed")

// Open connects to the server or cluster at the address and looks whether it is one that sessions can be kept on: a server that is too
// old, or a replica, is refused, and so is a user who may not
// call all that is needed. It warns of settings under which sessions may be lost.
//
// The address is redis://user:password@host:port/database, or rediss:// for TLS. With the parameter cluster=true, or with further
// servers in addr parameters, it is that of a cluster: redis://host1:6379?addr=host2:6379&addr=host3:6379. Other
// parameters tune the client: dial_timeout, read_timeout, pool_size and so on, as in github.com/redis/go-redis. No error holds the
// password.
func Open(ctx context.Context, address string, o Options) (*Driver, error) {
	if o.Prefix == "" {
		o.Prefix = "holdfast"
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	const special = `{}*?[]\` // to hash tags or to patterns
	if strings.ContainsAny(o.Prefix, special) {
		return nil, fmt.Errorf("redis: the prefix %q has one of the characters %s", o.Prefix, special)
	}
	d := &Driver{keys: keys{o.Prefix}, log: o.Logger, lines: newLines(), bells: newBells()}
	var err error
	if d.scripts, err = readScripts(); err != nil {
		return nil, fmt.Errorf("redis: %w", err)
	}
	if err := d.connect(address); err != nil {
		return nil, err
	}
	d.open, d.stop = context.WithCancel(context.Background())
	d.closed = d.open.Done()
	if err = d.check(ctx); err == nil {
		err = d.permitted(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	d.freed = d.client.Subscribe(d.open, d.keys.freed()) //nolint:contextcheck // it lives as long as the driver
	d.stopped.Go(func() { d.bells.listen(d.freed) })
	if d.clustered {
		d.announcer, d.repairer = newAnnouncer(d), newRepairer(d)
		d.stopped.Go(d.announcer.run)
		d.stopped.Go(d.repairer.run)
	}
	return d, nil
}

// Close ends the connections and waits for what goes on in the background. Holds that are still open can no longer commit;
// watches end.
func (d *Driver) Close() error {
	var errs []error
	d.close.Do(func() {
		d.ending.Lock()
		d.stop()
		d.ending.Unlock()
		if d.freed != nil {
			errs = append(errs, d.freed.Close())
		}
		if d.announcer != nil {
			<-d.announcer.ended // it may have something to tell yet
		}
		errs = append(errs, d.client.Close())
		d.stopped.Wait()
	})
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("redis: close: %w", err)
	}
	return nil
}

// later has something done in the background, which Close waits for; after Close it is not done.
func (d *Driver) later(do func()) {
	d.ending.Lock()
	defer d.ending.Unlock()
	if d.open.Err() == nil {
		d.stopped.Go(do)
	}
}

// patience is how long the server may take to answer when it is opened.
const patience = 10 * time.Second
