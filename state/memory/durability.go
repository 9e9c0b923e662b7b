package memory

import (
	"context"

	"github.com/holdfast-run/holdfast/state"
)

// Durabilities is what the store keeps.
func Durabilities() []state.Durability {
	return []state.Durability{{Store: "memory", Process: "nothing", Machine: "nothing", Failover: "there is none"}}
}

// Durability is what the store keeps.
func (d *Driver) Durability(context.Context) (state.Durability, error) { return Durabilities()[0], nil }
