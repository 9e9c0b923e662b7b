package sqlite

import (
	"context"

	"github.com/holdfast-run/holdfast/state"
)

// Durabilities is what the store keeps, without and with [Options.FullSync].
func Durabilities() []state.Durability {
	return []state.Durability{
		{Store: "SQLite", Process: "everything", Machine: "all but the last moments", Failover: "there is none"},
		{Store: "SQLite, `Options.FullSync`", Process: "everything", Machine: "everything", Failover: "there is none"},
	}
}

// Durability is what the store keeps.
func (d *Driver) Durability(context.Context) (state.Durability, error) {
	if d.fullSync {
		return Durabilities()[1], nil
	}
	return Durabilities()[0], nil
}
