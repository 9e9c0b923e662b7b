// Package starter is the client's edge: it serves the pages and the JavaScript client, holds the web sockets, turns the
// pages' events into sections and the sessions' changes into deltas, and starts the tasks that sections asked for.
//
// A [Starter] is an http.Handler. For each app it serves
//
//	/<app>/          the app's page, or a plain one: its state, tasks and messages, and a form for each event
//	/<app>/socket    the web socket, subprotocol holdfast.v1 (docs/protocol.md)
//	/holdfast.js     the JavaScript client
//	/                a list of the apps
//
// and all of that under any prefix that is taken away before.
//
// It compares the lists of tasks with their workflows, so that one that was terminated does not stay.
//
// # Presence
//
// A starter tells a session's tasks at once when a page connects, closes or is found
// dead, and now and then that one is still there; it does so for starters that have died
// too. Of a page that keeps coming and going, an arrival is signalled at once and a departure after
// the page has stayed away for two to sixteen seconds: a handful of signals a minute.
// Which tasks it tells is written in their rows and stays for their lives, whatever the
// program's options are by now. A task that cannot be signalled keeps no other one from
// being told.
//
// What becomes of presence when two of the parties cannot reach each other:
//
//   - One starter and the store, while others have it: three seconds before its presence
//     lease ends the starter sends its pages away ("going away", 1001) and answers new
//     ones with 503 until it has a lease again, so that they come back at another starter
//     before that one declares this one dead. It says nothing about the pages that it
//     sent away until ten seconds after it has a lease again.
//   - All starters and the store: the same, but that no page finds another starter. The
//     pages try again until the store is back. No starter is declared dead: that takes a
//     whole lease of uninterrupted renewals.
//   - The only starter and the store: it keeps its pages, as they are served nowhere
//     else, and goes on telling the tasks that it knows of. (A starter that begins while
//     the only other one is cut off takes that one for dead, as it cannot know.)
//   - A starter and Temporal: its pages stay, its lease is renewed, no other one signals
//     for it. What changed is noted in the store at once and told when Temporal is back,
//     or by others if the starter dies before. A task that hears nothing for its time to
//     live asks the store.
//   - A page and its starter: a ping finds it out, after 20 seconds at most. The page
//     comes back at any starter; if it does within the grace period, its tasks go on as
//     if nothing had happened.
//   - A starter that is stopped for longer than its lease is declared dead, and says
//     again who is there when it goes on.
//
// # Any number of starters
//
// Any number may serve the same sessions; a client may come back to another one. What a starter holds is only
// connections: sessions, events that were applied, changes that were missed and tasks to be started are in the state
// service.
package starter
