package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	goredis "github.com/redis/go-redis/v9"
)

// oldest is the first major version of Redis that has what the scripts use.
const oldestMajor = 7

// check looks at the server, or at every master of the cluster.
func (d *Driver) check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var err error
	if cluster, ok := d.client.(*goredis.ClusterClient); ok {
		err = cluster.ForEachMaster(ctx, func(ctx context.Context, master *goredis.Client) error {
			return d.checkServer(ctx, master, master.Options().Addr)
		})
	} else {
		err = d.checkServer(ctx, d.client, d.address)
	}
	return d.explain(err)
}

// explain says in plain words what the server's answer means.
func (d *Driver) explain(err error) error {
	switch {
	case err == nil:
		return nil
	case goredis.HasErrorPrefix(err, "WRONGPASS"):
		return fmt.Errorf("redis: %s refuses the user or the password: %w", d.address, err)
	case goredis.HasErrorPrefix(err, "NOAUTH"):
		return fmt.Errorf("redis: %s asks for a password, and the address has none: %w", d.address, err)
	case refused(err), errors.Is(err, errUnfit):
		return fmt.Errorf("redis: %s: %w", d.address, err)
	}
	return fmt.Errorf("redis: %s cannot be reached: %w", d.address, err)
}

// errUnfit reports a server that sessions cannot be kept on.
var errUnfit = errors.New("sessions cannot be kept here")

func (d *Driver) checkServer(ctx context.Context, server goredis.Cmdable, address string) error {
	text, err := server.Info(ctx).Result()
	if goredis.HasErrorPrefix(err, "NOPERM") {
		d.log.Info("redis: whether the server's settings are safe could not be looked at: the user may not call INFO", "server", address)
		return nil
	}
	if err != nil {
		return fmt.Errorf("ask for the server's version: %w", err)
	}
	info := fields(text)
	version := info["redis_version"]
	major, _, _ := strings.Cut(version, ".")
	if n, err := strconv.Atoi(major); err != nil || n < oldestMajor {
		return fmt.Errorf("%w: the server is version %q, and Redis %d or later (or Valkey) is needed", errUnfit, version, oldestMajor)
	}
	mode := info["redis_mode"]
	if mode == "" {
		mode = info["server_mode"] // of Valkey
	}
	if mode == "cluster" && !d.clustered {
		return fmt.Errorf("%w: the server is part of a cluster, and the address lacks the parameter cluster=true", errUnfit)
	}
	if role := info["role"]; role == "slave" {
		return fmt.Errorf("%w: the server is a replica (role:%s in INFO) and cannot be written to; connect to its master %s",
			errUnfit, role, net.JoinHostPort(info["master_host"], info["master_port"]))
	}
	d.warn(address, info)
	d.checkSync(ctx, server, address, info)
	return nil
}

// warn names the settings under which sessions may be lost.
func (d *Driver) warn(address string, info map[string]string) {
	if info["aof_enabled"] == "0" {
		d.log.Warn("redis: appendonly is off: a restart of the server loses sessions; set appendonly yes", "server", address)
	}
	if policy := info["maxmemory_policy"]; policy != "" && policy != "noeviction" {
		d.log.Warn("redis: the server throws sessions away when its memory is short; set maxmemory-policy noeviction",
			"server", address, "maxmemory-policy", policy)
	}
}

// checkSync looks at the one setting that only CONFIG shows, which managed services forbid.
func (d *Driver) checkSync(ctx context.Context, server goredis.Cmdable, address string, info map[string]string) {
	if info["aof_enabled"] != "1" {
		return
	}
	settings, err := server.ConfigGet(ctx, "appendfsync").Result()
	if err != nil {
		d.log.Info("redis: how often the server waits for its disk could not be looked at: it forbids CONFIG",
			"server", address, "err", err)
		return
	}
	if settings["appendfsync"] == "no" {
		d.log.Warn("redis: appendfsync is no: a loss of power loses the last half minute; set appendfsync everysec or always",
			"server", address)
	}
}

// fields reads the lines of INFO.
func fields(info string) map[string]string {
	all := map[string]string{}
	for line := range strings.Lines(info) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			all[name] = value
		}
	}
	return all
}
