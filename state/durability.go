package state

import (
	"context"
	"fmt"
	"strings"
)

// Durability says what a store, with certain settings, keeps of the commits that it has answered. What it loses, it loses from the end on:
// a session goes on from an older commit, whole.
type Durability struct {
	// Store is the engine and the settings that matter.
	Store string
	// Process is what it keeps over the death of a process, ours or the server's.
	Process string
	// Machine is what it keeps when the machine of the store loses its power.
	Machine string
	// Failover is what it keeps when a replica takes over.
	Failover string
}

// String is the row in a sentence.
func (d Durability) String() string {
	return fmt.Sprintf("%s keeps over the death of a process: %s; of the machine: %s; over a failover: %s", d.Store, d.Process, d.Machine, d.Failover)
}

// DurabilityTable is the rows as a table in Markdown.
func DurabilityTable(rows ...Durability) string {
	var b strings.Builder
	b.WriteString("| store | death of a process | death of the machine | failover |\n| --- | --- | --- | --- |\n")
	for _, d := range rows {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", d.Store, d.Process, d.Machine, d.Failover)
	}
	return b.String()
}

// durable is a driver that knows what its store keeps. It asks the server for the settings that matter.
type durable interface {
	Durability(ctx context.Context) (Durability, error)
}

// Durability is what the store keeps with its present settings; false for a driver that does not say.
func (s *Service) Durability(ctx context.Context) (_ Durability, says bool, err error) {
	d, ok := s.driver.(durable)
	if !ok {
		return Durability{}, false, nil
	}
	row, err := d.Durability(ctx)
	if err != nil {
		return Durability{}, true, fmt.Errorf("ask what the store keeps: %w", err)
	}
	return row, true, nil
}
