package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast-run/holdfast/state"
)

// Durabilities is what the store keeps, by the settings of the server.
func Durabilities() []state.Durability {
	const lagging = "all but what the replica had not got yet"
	return []state.Durability{
		{Store: "PostgreSQL", Process: "everything", Machine: "everything", Failover: lagging},
		{Store: "PostgreSQL, `synchronous_standby_names`", Process: "everything", Machine: "everything", Failover: "everything"},
		{
			Store: "PostgreSQL, `synchronous_commit=off`", Process: "everything of ours; of the server's all but the last 0.6 s",
			Machine: "all but the last 0.6 s", Failover: lagging,
		},
		{Store: "PostgreSQL, `fsync=off`", Process: "everything", Machine: "nothing for certain", Failover: lagging},
	}
}

// Durability is what the store keeps with the server's present settings.
func (d *Driver) Durability(ctx context.Context) (state.Durability, error) {
	var fsync, commit, standbys string
	err := d.list(ctx, func(rows pgx.Rows) error { return rows.Scan(&fsync, &commit, &standbys) },
		"SELECT current_setting('fsync'), current_setting('synchronous_commit'), current_setting('synchronous_standby_names')")
	if err != nil {
		return state.Durability{}, fmt.Errorf("postgres: ask for the settings: %w", err)
	}
	all := Durabilities()
	switch {
	case fsync == "off":
		return all[3], nil
	case commit == "off":
		return all[2], nil
	case standbys != "" && commit != "local":
		return all[1], nil
	}
	return all[0], nil
}
