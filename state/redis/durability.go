package redis

import (
	"context"
	"fmt"

	"github.com/holdfast-run/holdfast/state"
)

// Durabilities is what the store keeps, by the settings of the server.
func Durabilities() []state.Durability {
	const lagging = "all but what the replica had not got yet"
	return []state.Durability{
		{Store: "Redis, `appendfsync always`", Process: "everything", Machine: "everything", Failover: lagging},
		{Store: "Redis, `appendfsync everysec`", Process: "everything", Machine: "all but the last second or two", Failover: lagging},
		{Store: "Redis, `appendfsync no`", Process: "everything", Machine: "all but the last half minute", Failover: lagging},
		{
			Store: "Redis, `appendonly no`", Process: "everything of ours; of the server's what the last snapshot has",
			Machine: "what the last snapshot has", Failover: lagging,
		},
	}
}

// Durability is what the store keeps with the server's present settings. A user who may not ask for them gets an error.
func (d *Driver) Durability(ctx context.Context) (state.Durability, error) {
	info, err := d.client.Info(ctx, "persistence").Result()
	if err != nil {
		return state.Durability{}, fmt.Errorf("redis: ask for the settings: %w", err)
	}
	all := Durabilities()
	if fields(info)["aof_enabled"] == "0" {
		return all[3], nil
	}
	settings, err := d.client.ConfigGet(ctx, "appendfsync").Result()
	if err != nil {
		return state.Durability{}, fmt.Errorf("redis: ask for the settings: %w", err)
	}
	switch settings["appendfsync"] {
	case "always":
		return all[0], nil
	case "no":
		return all[2], nil
	}
	return all[1], nil
}
