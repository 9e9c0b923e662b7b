// Package codec keeps what tasks say to themselves from Temporal: it encrypts every payload before it leaves the process, and
// lets those who may read it do so in Temporal's Web UI and CLI.
//
// # Encryption
//
// [ParseKeys] reads the keys, [Converters] gives what client.Options need, and every process that speaks to Temporal — worker,
// starter, a program that signals — is given the same. From then on arguments, results, signals, updates, queries with their
// answers, heartbeats, memos, side effects, versions, summaries, details, and the messages and stack traces of errors are stored
// as AES-256-GCM. What was stored before remains readable, so encryption can be turned on while tasks run; how, see below.
//
// What Temporal works with itself stays readable: ids and names of workflows, activities, signals, queries, updates and task
// queues, the keys of a memo, search attributes, headers, the type of an error, times, and how long a payload is. A payload that
// somebody changed is refused; one that was moved to another place of a history, or played again, is not noticed. Who can write
// to Temporal's database is not kept from doing harm, only from reading.
//
// # Rotation
//
// A payload names the key it was encrypted with, the first of [Keys] encrypts, and all of them decrypt. Processes are restarted
// one after the other, so a new key is brought in by two steps, each of which reaches all processes before the next begins:
//
//  1. add it at the end: OLD,NEW. Now everybody can read it.
//  2. move it to the front: NEW,OLD. Now it is used.
//
// Encryption is turned on in the same way, since a process without keys can make nothing of what the others encrypt and fails the tasks
// that it meets: first plain,NEW everywhere, which decrypts and does not encrypt, and then NEW. It is turned off by plain,NEW.
//
// An old key goes when nothing that it encrypted is kept any more: the longest task and the namespace's retention have passed.
// Rotate before a key has encrypted four thousand million payloads (2^32), which is where random nonces of 96 bits stop being safe.
//
// A worker that has keys, but not the one it needs, harms no task: in a workflow, the converter of [Converters] answers what
// cannot be decrypted with a panic, by which Temporal tries the workflow task again until a worker has the key. An error would
// fail the task for good, and drop a signal. An activity whose arguments cannot be decrypted fails once and is retried; of an error
// that cannot be, "Encoded failure" is what is left to read.
//
// # Codec server
//
// [NewHandler] decrypts for people. The CLI sends the access token with each call:
//
//	temporal workflow show -w ID --codec-endpoint http://localhost:8234 --codec-auth "Bearer $TOKEN"
//
// The Web UI cannot be given that token: its "pass the user access token" sends the token its own user signed in with, if
// any, and over HTTPS alone. One signs in at the codec server's own page instead, which sets a cookie, and has the Web UI send it with
// "include cross-origin credentials". For that the two must be of one site: the same host under any two ports, or two hosts of
// one domain. localhost and 127.0.0.1 are not the same host.
package codec
