// Package starter is the client's edge: it serves the pages and the JavaScript client, holds the web sockets, turns the
// pages' events into sections and the sessions' changes into deltas, and starts the tasks that sections asked for.
//
// A [Starter] is an http.Handler. For each app it serves
//
//	/<app>/          the app's page
//	/<app>/socket    the web socket, subprotocol holdfast.v1 (docs/protocol.md)
//	/holdfast.js     the JavaScript client
//	/                a list of the apps
//
// It tells a session's tasks at once when a page connects, closes or is found dead, and now and then that one is still there;
// it does so for starters that have died too. It compares the lists of tasks with their workflows, so that one that was terminated does
// not stay.
//
// Any number of starters may serve the same sessions; a client may come back to another one. What a starter holds is only
// connections: sessions, events that were applied, changes that were missed and tasks to be started are in the state
// service.
package starter
