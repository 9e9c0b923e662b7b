package redistest

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// Cluster is a running cluster of three masters.
type Cluster struct{ servers []*Server }

// slots is how many slots every cluster has.
const slots = 16384

// StartCluster starts a cluster and returns when it takes writes. It stops with the test.
func StartCluster(t testing.TB) *Cluster {
	t.Helper()
	const masters = 3
	c := &Cluster{}
	for range masters {
		bus := strconv.Itoa(FreePort(t))
		c.servers = append(c.servers, Start(t, "--cluster-enabled", "yes", "--cluster-port", bus, "--cluster-node-timeout", "5000"))
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := c.join(ctx); err != nil {
		t.Fatalf("form a cluster: %v", err)
	}
	return c
}

// URL is the address for redis.Open, with one of the servers: the client finds the others.
func (c *Cluster) URL() string { return c.servers[0].URL() + "?cluster=true" }

// Servers are the masters.
func (c *Cluster) Servers() []*Server { return c.servers }

// join gives each server its part of the slots, introduces them to each other and waits until they agree.
func (c *Cluster) join(ctx context.Context) error {
	for i, s := range c.servers {
		if err := c.introduce(ctx, s, i*slots/len(c.servers), (i+1)*slots/len(c.servers)-1); err != nil {
			return err
		}
	}
	for _, s := range c.servers {
		if err := c.settled(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// introduce gives the server its slots and makes it known to the first one.
func (c *Cluster) introduce(ctx context.Context, s *Server, from, to int) error {
	client := goredis.NewClient(&goredis.Options{Addr: s.Address()})
	defer client.Close() //nolint:errcheck // what it was told it was told
	if err := client.ClusterAddSlotsRange(ctx, from, to).Err(); err != nil {
		return fmt.Errorf("give out the slots: %w", err)
	}
	if err := client.Do(ctx, "CLUSTER", "MEET", "127.0.0.1", c.servers[0].port, c.servers[0].bus()).Err(); err != nil {
		return fmt.Errorf("introduce the servers: %w", err)
	}
	return nil
}

// bus is the port on which the server talks to the others.
func (s *Server) bus() string {
	for i, arg := range s.args {
		if arg == "--cluster-port" {
			return s.args[i+1]
		}
	}
	return ""
}

// settled waits until the server knows the others and all slots are served.
func (c *Cluster) settled(ctx context.Context, s *Server) error {
	client := goredis.NewClient(&goredis.Options{Addr: s.Address()})
	defer client.Close() //nolint:errcheck // it was only read from
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	known := fmt.Sprintf("cluster_known_nodes:%d", len(c.servers))
	for {
		info, err := client.ClusterInfo(ctx).Result()
		if err != nil {
			return fmt.Errorf("ask for the state of the cluster: %w", err)
		}
		if strings.Contains(info, "cluster_state:ok") && strings.Contains(info, known) {
			return nil
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("wait for the cluster, which says %q: %w", info, ctx.Err())
		}
	}
}
