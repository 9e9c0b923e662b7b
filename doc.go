// Package holdfast holds the words of durable background tasks behind live web pages: the [App] and what it is
// made of, the transaction [Tx] that a section sees, the errors, the ids.
//
// An author writes plain functions and lists them in an App:
//
//   - a state is a struct; its JSON form is stored, and what does not begin with an underscore is shown to the page;
//   - an event is a function that the page calls; it runs at once, with the session's state locked;
//   - a task is a Temporal workflow function; it outlives processes, deploys and machines;
//   - a section is a step of a task with the session's state locked; it runs as a Temporal activity, applied exactly once.
//
// What an author tells people of a mistake is the sentence of a [Reject]; any other error stays on the server.
//
// Nothing here reaches out: this package imports only the standard library, starts no goroutine and knows no
// server. The machinery is elsewhere, and an author meets it by these names:
//
//   - package workflows: what a task calls (Locked, Every, Sleep, Step, Finally, …);
//   - package state: the sessions, their locks, the exactly-once ledger;
//   - package worker runs tasks and sections, package starter serves pages and starts tasks.
//
// The model is the background task of the Reflex documentation: "whenever a background task needs to interact with
// the state, it must enter a context block which refreshes the state and takes an exclusive lock".
package holdfast
