package redis

import (
	"context"
	"fmt"

	goredis "github.com/redis/go-redis/v9"

	"github.com/holdfast-run/holdfast"
)

// permitted makes sure that the user may do all that is needed, on each server. The server looks at each command of a script when it
// comes to it, so that one that is refused in the middle would leave half a commit.
func (d *Driver) permitted(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	places, err := d.places(ctx)
	if err != nil {
		return d.explain(err)
	}
	for _, place := range places {
		if err := d.probe(ctx, place); err != nil {
			return d.explain(err)
		}
	}
	cluster, ok := d.client.(*goredis.ClusterClient)
	if !ok {
		return nil
	}
	return d.explain(cluster.ForEachMaster(ctx, func(ctx context.Context, master *goredis.Client) error {
		return d.understand("SCAN", master.ScanType(ctx, 0, d.keys.prefix+":{*}:record", 1, "hash").Err())
	}))
}

// places are beginnings of keys of each kind, those of sessions on each server.
func (d *Driver) places(ctx context.Context) ([]string, error) {
	all := []string{d.keys.shard(0, "probe:"), d.keys.notices() + ":probe:"}
	cluster, ok := d.client.(*goredis.ClusterClient)
	if !ok {
		return append(all, d.keys.session("probe", "probe:")), nil
	}
	const tries = 256 // that a server with a fair part of the slots is not met has a chance of nothing
	found := map[string]bool{}
	for n := range tries {
		key := d.keys.session(holdfast.SessionID(fmt.Sprint("probe", n)), "probe:")
		master, err := cluster.MasterForKey(ctx, key)
		if err != nil {
			return nil, fmt.Errorf("find the servers: %w", err)
		}
		if address := master.Options().Addr; !found[address] {
			found[address] = true
			all = append(all, key)
		}
	}
	return all, nil
}

// probe calls all commands on keys at the place that nothing else uses.
func (d *Driver) probe(ctx context.Context, place string) error {
	keys := []string{place + "string", place + "hash", place + "sorted", place + "stream"}
	for name, byHash := range map[string]bool{"EVAL": false, "EVALSHA": true} {
		cmd := d.scripts.probe.command(ctx, byHash, keys, nil)
		err := d.client.Process(ctx, cmd)
		if goredis.HasErrorPrefix(err, "NOSCRIPT") {
			continue // it may be called
		}
		if err := d.understand(name, err); err != nil {
			return err
		}
		if answer, _ := cmd.Slice(); len(answer) == 2 {
			return fmt.Errorf("%w: the user may not call %s, or not as it is needed; give it the commands that the package's "+
				"documentation lists: %s", errUnfit, text(answer[0]), text(answer[1]))
		}
	}
	return nil
}

// understand tells what stands in the way for good from what may pass.
func (d *Driver) understand(command string, err error) error {
	switch {
	case goredis.HasErrorPrefix(err, "NOPERM"):
		return fmt.Errorf("%w: the user may not call %s, or not on the keys of prefix %q; give it the commands and keys that the package's "+
			"documentation lists: %w", errUnfit, command, d.keys.prefix, err)
	case goredis.HasErrorPrefix(err, "READONLY"), !refused(err):
		return err
	}
	d.log.Warn("redis: what the user may do could not be looked at", "server", d.address, "err", err)
	return nil
}
