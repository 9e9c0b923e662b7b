package redis

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// connect makes the client; no connection is opened yet.
func (d *Driver) connect(address string) error {
	u, err := parse(address)
	if err != nil {
		return fmt.Errorf("redis: %w", err)
	}
	d.address = u.Host
	query := u.Query()
	d.clustered = query.Get("cluster") == "true" || query.Has("addr")
	query.Del("cluster")
	u.RawQuery = query.Encode()
	if d.clustered {
		err = d.connectCluster(u)
	} else {
		err = d.connectServer(u)
	}
	if err != nil {
		return fmt.Errorf("redis: the address of %s: %w", d.address, err)
	}
	return nil
}

// parse reads an address. What a person sees of one that is wrong is none of it, because a password with special characters
// can turn up in any part.
func parse(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || strings.Contains(u.Path+u.RawQuery+u.Fragment, "@") {
		return nil, errors.New("the address is not of the form redis://user:password@host:port/database; " +
			"special characters in the password are written as in %2F for a slash")
	}
	if u.Scheme != "redis" && u.Scheme != "rediss" || u.Host == "" {
		return nil, errors.New("the address does not begin with redis:// or rediss:// and a host")
	}
	return u, nil
}

func (d *Driver) connectServer(u *url.URL) error {
	o, err := goredis.ParseURL(u.String())
	if err != nil {
		return err //nolint:wrapcheck // wrapped by the caller
	}
	d.address = o.Addr
	o.ContextTimeoutEnabled = true
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout = limits(o.DialTimeout, o.ReadTimeout, o.WriteTimeout)
	o.DialerRetries = 1 // the command is tried again, with the dialing
	o.Dialer = d.lines.dial(o.DialTimeout, o.TLSConfig)
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled} // of a vendor's own servers
	d.client = goredis.NewClient(o)
	return nil
}

// limits are the times that a server gets. None can be switched off: a call must end.
func limits(dial, read, write time.Duration) (time.Duration, time.Duration, time.Duration) {
	or := func(given, otherwise time.Duration) time.Duration {
		if given <= 0 {
			return otherwise
		}
		return given
	}
	return or(dial, dialTime), or(read, answerTime), or(write, answerTime)
}

func (d *Driver) connectCluster(u *url.URL) error {
	if u.Path != "" && u.Path != "/" && u.Path != "/0" {
		return errors.New("a cluster has no database but 0")
	}
	o, err := goredis.ParseClusterURL(u.String())
	if err != nil {
		return err //nolint:wrapcheck // wrapped by the caller
	}
	if o.ReadOnly || o.RouteByLatency || o.RouteRandomly {
		return errors.New("sessions are not read from replicas, which lag behind")
	}
	d.address = strings.Join(o.Addrs, ", ")
	o.ContextTimeoutEnabled = true
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout = limits(o.DialTimeout, o.ReadTimeout, o.WriteTimeout)
	o.DialerRetries = 1 // as above
	o.Dialer = d.lines.dial(o.DialTimeout, o.TLSConfig)
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled} // as above
	d.client = goredis.NewClusterClient(o)
	return nil
}
