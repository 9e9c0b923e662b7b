package exact

import (
	"fmt"

	"github.com/holdfast-run/holdfast"
)

// Noted is an event of a page: the page's name, and the event's number, which the page counts from 1.
type Noted struct {
	Page string `json:"page"`
	N    int64  `json:"n"`
	Gate string `json:"gate,omitempty"`
}

// Note notes an event.
func Note(_ *holdfast.Tx, s *State, e Noted) error {
	s.apply(s.Events, e.Page, e.N)
	return nil
}

// NoteAtGate notes an event after it has waited at its gate.
func NoteAtGate(tx *holdfast.Tx, s *State, e Noted) error {
	if err := wait(tx, e.Gate); err != nil {
		return err
	}
	s.apply(s.Events, e.Page, e.N)
	return nil
}

// Run is a task to begin.
type Run struct {
	// Loop is inline, regular, guarded or bound; a session has one of each at most in its life.
	Loop string `json:"loop"`
	// Turns is how many turns its loop makes; that of bound goes on until End.
	Turns int `json:"turns,omitempty"`
	// Gate is where guarded waits before its loop.
	Gate string `json:"gate,omitempty"`
}

// Begin starts a task.
func Begin(tx *holdfast.Tx, _ *State, r Run) error {
	switch r.Loop {
	case "inline":
		tx.Start(Inline, r.Turns)
	case "regular":
		tx.Start(Regular, r.Turns)
	case "guarded":
		tx.Start(Guarded, r)
	case "bound":
		tx.Start(Bound)
	default:
		return fmt.Errorf("there is no loop %q", r.Loop)
	}
	return nil
}

// End has a bound task end with its next turn.
func End(_ *holdfast.Tx, s *State, loop string) error { s.Stop[loop] = true; return nil }

// Chain is events that trigger each other: link N of the chain of this name, which ends with link To.
type Chain struct {
	Name string `json:"name"`
	N    int64  `json:"n"`
	To   int64  `json:"to"`
	// Gate is where link At waits.
	Gate string `json:"gate,omitempty"`
	At   int64  `json:"at,omitempty"`
}

// Link notes a link and triggers the next.
func Link(tx *holdfast.Tx, s *State, c Chain) error {
	s.apply(s.Loops, c.Name, c.N)
	c.N++
	switch {
	case c.N > c.To:
	case c.N == c.At:
		tx.Trigger(LinkAtGate, c)
	default:
		tx.Trigger(Link, c)
	}
	return nil
}

// LinkAtGate is a link that waits at the chain's gate.
func LinkAtGate(tx *holdfast.Tx, s *State, c Chain) error {
	if err := wait(tx, c.Gate); err != nil {
		return err
	}
	return Link(tx, s, c)
}

// Burst triggers that many events at once, in no order: each is a chain of one link, "burst.1" and so on.
func Burst(tx *holdfast.Tx, _ *State, n int) error {
	for i := range n {
		tx.Trigger(Link, Chain{Name: fmt.Sprintf("burst.%d", i+1), N: 1, To: 1})
	}
	return nil
}
