package statetest

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

var (
	taskA = state.Task{ID: "test.A-one-x", Name: "A", Status: state.StatusRunning, Since: time.Date(2026, 1, 2, 3, 4, 5, 678000000, time.UTC), Bound: true}
	taskB = state.Task{ID: "test.B-one-y", Name: "B", Status: state.StatusStarting, Since: taskA.Since}
)

// aTrace is a span that what it has caused is stored with.
const aTrace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func withTasks(tasks ...state.Task) func(*state.Commit) {
	return func(c *state.Commit) { c.Tasks, c.TasksChanged, c.Change.Tasks = tasks, true, &tasks }
}

func withMessage(text string) func(*state.Commit) {
	return func(c *state.Commit) {
		c.LastMessage++
		c.Change.Messages = append(c.Change.Messages, state.Message{ID: c.LastMessage, Name: text, Data: json.RawMessage("7"), Revision: c.Revision})
	}
}

func withPending(ids ...string) func(*state.Commit) {
	return func(c *state.Commit) {
		for _, id := range ids {
			c.Pending = append(c.Pending, state.Pending{
				ID: id, Kind: state.KindStart, Session: session, Task: holdfast.TaskID(id), App: "test", Name: "A",
				Argument: json.RawMessage(`"x"`), At: taskA.Since, Trace: aTrace,
				Bound: id == "a",
			})
		}
	}
}

func testCommitReadBack(b *bench) {
	deferred := state.Pending{
		ID: "d", Kind: state.KindStart, Session: session, Task: "d", App: "test", Name: "B", Argument: json.RawMessage(`"y"`), At: taskB.Since,
		Trace: aTrace,
	}
	b.put(b, session, 1, withTasks(taskA, taskB), withMessage("hello"), withPending("p"), func(c *state.Commit) {
		c.Deferred = append(c.Deferred, deferred)
	})
	record, messages, err := b.Load(b.Context(), session)
	b.must(err)
	want := &state.Record{
		Session: session, Epoch: "epoch1", Version: 1, Revision: 1, LastMessage: 1,
		Documents: holdfast.Documents{"State": json.RawMessage("1")}, Tasks: []state.Task{taskA, taskB}, Deferred: []state.Pending{deferred},
	}
	b.is(record, want, "the record")
	b.is(messages, []state.Message{{ID: 1, Name: "hello", Data: json.RawMessage("7"), Revision: 1}}, "the messages")
	held := b.hold(b, session, long)
	b.is(held.Record(), want, "what the next holder sees")
	held.Release()
}

func testCommitKeeps(b *bench) {
	b.put(b, session, 1, withTasks(taskA), func(c *state.Commit) { c.Documents["Other"] = json.RawMessage("5") })
	b.put(b, session, 2)
	record, _, err := b.Load(b.Context(), session)
	b.must(err)
	b.is(record.Documents, holdfast.Documents{"State": json.RawMessage("2"), "Other": json.RawMessage("5")}, "the documents")
	b.is(record.Tasks, []state.Task{taskA}, "the tasks")
	b.is(len(record.Deferred), 0, "no deferred starts")
	b.put(b, session, 3, withTasks())
	record, _, err = b.Load(b.Context(), session)
	b.must(err)
	b.is(len(record.Tasks), 0, "an emptied list of tasks")

	held := b.hold(b, session, long)
	c := next(held, 4)
	c.Change, c.Revision = nil, held.Record().Revision
	b.must(held.Commit(b.Context(), c))
	record, _, err = b.Load(b.Context(), session)
	b.must(err)
	b.is([]int64{record.Version, record.Revision}, []int64{4, 3}, "version and revision after a commit that nobody can see")
}

func testStrangeText(b *bench) {
	strange := `quotes ' " \ percent % _ null \u0000 emoji 🦊 newline ` + "\n" + ` ; DROP TABLE sessions; --`
	id := holdfast.SessionID("test-" + strange)
	document := json.RawMessage(show(strange))
	held := b.hold(b, id, long)
	c := next(held, 0)
	c.Documents = holdfast.Documents{strange: document}
	c.Change.States = map[string]json.RawMessage{strange: document}
	withEntry(strange, 1, strange, string(document))(c)
	withMessage(strange)(c)
	b.must(held.Commit(b.Context(), c))

	again, err := b.Acquire(b.Context(), state.Claim{Session: id, Lease: long, Key: strange, Owner: strange})
	b.must(err)
	result, found := again.Recorded()
	b.is(found, true, "the call is in the ledger")
	b.is(result, document, "its result")
	b.is(again.Mark(), aMark, "its caller's mark")
	b.is(again.Record().Documents, c.Documents, "the documents")
	again.Release()
	changes, err := b.Changes(b.Context(), id, state.Position{Epoch: "epoch1"}, 10)
	if err != nil || len(changes) != 1 {
		b.Fatalf("changes: %d, %v", len(changes), err)
	}
	b.is(changes[0], c.Change, "the change")
}

func testLargeDocument(b *bench) {
	large := json.RawMessage(show(strings.Repeat("x", 1<<20)))
	b.put(b, session, 0, func(c *state.Commit) { c.Documents["State"] = large; c.Change.States["State"] = large })
	b.is(len(b.value(b, session)), len(large), "the length of the document")
}

func testSeenByOthers(b *bench) {
	second := opened(b, b.store)
	b.put(b, session, 1)
	b.is(b.value(second, session), "1", "seen from the second driver")
	b.put(second, session, 2)
	b.is(b.value(b, session), "2", "seen from the first driver")
}

// testNobodySeesHalf reads while others write commits whose parts all say the same.
func testNobodySeesHalf(b *bench) {
	const commits = 50
	var group sync.WaitGroup
	done := make(chan struct{})
	group.Go(func() {
		defer close(done)
		for i := range commits {
			name := fmt.Sprint(i + 1)
			b.put(b, session, i+1, withTasks(state.Task{ID: holdfast.TaskID(name)}), withMessage(name), func(c *state.Commit) { c.KeepMessages = 1 })
		}
	})
	group.Go(func() {
		for {
			record, messages, err := b.Load(b.Context(), session)
			if err != nil {
				b.Errorf("load: %v", err)
				return
			}
			if record.Epoch != "" {
				want := fmt.Sprint(record.Version)
				if string(record.Documents["State"]) != want || string(record.Tasks[0].ID) != want || messages[0].Name != want || record.Revision != record.Version {
					b.Errorf("half a commit: %s with messages %s", show(record), show(messages))
					return
				}
			}
			select {
			case <-done:
				return
			default:
			}
		}
	})
	group.Wait()
}
