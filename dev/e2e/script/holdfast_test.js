// Tests of the browser's client against a starter that is played by hand. Run by TestTheJavaScriptClient; each export is one test.

import { connect, mergePatch } from "/holdfast.js";

/** A web socket whose other end is the test. */
class FakeSocket {
  constructor(url, protocol) { Object.assign(this, { url, protocol, sent: [], closed: false }); }

  send(frame) { this.sent.push(JSON.parse(frame)); }
  close() { this.closed = true; }

  // What the test does as the starter:
  give(message) { this.onmessage({ data: JSON.stringify(message) }); }
  end(code, reason = "") { this.onclose({ code, reason }); }
  welcome(token = "t1") {
    this.onopen({});
    this.give({ type: "welcome", app: "a", session: "a-1", token, workflows: "http://ui/" });
  }
}

/** A client with sockets and a storage of its own; `next` waits for the next socket that it opens. */
function start() {
  const opened = [];
  const waiting = [];
  class WebSocket extends FakeSocket {
    constructor(url, protocol) {
      super(url, protocol);
      const resolve = waiting.shift();
      if (resolve) resolve(this);
      else opened.push(this);
    }
  }
  const next = () => opened.length ? Promise.resolve(opened.shift()) : new Promise((resolve) => waiting.push(resolve));
  const kept = new Map();
  const storage = {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => kept.set(key, value),
    removeItem: (key) => kept.delete(key),
  };
  return { app: connect("/a/", { WebSocket, storage }), kept, next };
}

const snapshot = (revision, state, more = {}) =>
  ({ type: "snapshot", epoch: "e1", revision, states: { State: state }, tasks: [], messages: [], ...more });
const delta = (revision, state, more = {}) => ({ type: "delta", revision, states: { State: state }, ...more });

export async function itSaysHelloAndShowsTheSnapshot() {
  const { app, kept, next } = start();
  const socket = await next();
  equal(socket.protocol, "holdfast.v1");
  check(socket.url.startsWith("ws://") && socket.url.endsWith("/a/socket"), socket.url);
  equal(app.getSnapshot().connection, "connecting");
  socket.welcome();
  equal([socket.sent[0].type, socket.sent[0].new], ["hello", true]);
  check(/^[a-z0-9]{8,64}$/.test(socket.sent[0].client));
  socket.give(snapshot(3, { n: 1 }, { tasks: [{ id: "a.T-1", name: "T", status: "running", since: "" }] }));
  const seen = app.getSnapshot();
  equal([seen.connection, seen.session, seen.revision, seen.state, seen.tasks[0].url],
    ["online", "a-1", 3, { n: 1 }, "http://ui/a.T-1"]);
  equal([...kept.values()], ["t1"]);
}

export async function itAppliesDeltasAndSharesWhatDidNotChange() {
  const { app, next } = start();
  const socket = await next();
  socket.welcome();
  socket.give(snapshot(1, { n: 1, deep: { a: 1 }, gone: 1 }));
  const before = app.getSnapshot();
  socket.give(delta(2, { n: 2, gone: null }));
  const after = app.getSnapshot();
  equal(after.state, { n: 2, deep: { a: 1 } });
  check(after.state.deep === before.state.deep, "shared");
  check(before.state.n === 1 && before.state.gone === 1, "the old snapshot stays");
}

export async function aGapAsksForAllOfIt() {
  const { app, next } = start();
  const first = await next();
  first.welcome();
  first.give(snapshot(1, { n: 1 }));
  first.give(delta(3, { n: 3 }));
  check(first.closed);
  equal(app.getSnapshot().state, { n: 1 });
  const second = await next();
  second.welcome();
  equal([second.sent[0].token, "after" in second.sent[0]], ["t1", false]);
  second.give(snapshot(3, { n: 3 }));
  equal(app.getSnapshot().state, { n: 3 });
}

export async function itComesBackToWhereItWasAndSendsAgain() {
  const { app, next } = start();
  const first = await next();
  first.welcome();
  first.give(snapshot(7, { n: 1 }));
  const one = app.send("One", 1);
  const two = app.send("Two");
  first.give({ type: "ack", id: 1, revision: 8 });
  first.give(delta(8, { n: 2 }));
  await one;
  first.end(1006);
  equal(app.getSnapshot().connection, "offline");
  const three = app.send("Three");
  const second = await next();
  second.welcome();
  equal([second.sent[0].epoch, second.sent[0].after], ["e1", 8]);
  equal(second.sent.slice(1), [{ type: "event", id: 2, name: "Two" }, { type: "event", id: 3, name: "Three" }]);
  second.give({ type: "ack", id: 2, revision: 8 });
  second.give({ type: "ack", id: 3, revision: 8, error: { code: "rejected", message: "Three: no" } });
  await two;
  equal((await refused(three)).code, "rejected");
}

export async function sendResolvesWhenTheChangeIsHere() {
  const { app, next } = start();
  const socket = await next();
  socket.welcome();
  socket.give(snapshot(1, { n: 1 }));
  let resolved = false;
  const sent = app.send("Add").then(() => { resolved = true; equal(app.getSnapshot().state.n, 2); });
  socket.give({ type: "ack", id: 1, revision: 2 });
  await Promise.resolve();
  check(!resolved, "acknowledged, but not here yet");
  socket.give(delta(2, { n: 2 }));
  await sent;
}

export async function aLostSessionGivesWayToANewOne() {
  const { app, kept, next } = start();
  const first = await next();
  first.welcome();
  first.give(snapshot(9, { n: 9 }));
  const sent = app.send("Add");
  first.end(4401, "the token has no session");
  equal((await refused(sent)).code, "session_lost");
  equal(kept.size, 0);
  const second = await next();
  second.welcome("t2");
  equal([second.sent[0].new, "token" in second.sent[0]], [true, false]);
  second.give(snapshot(0, { n: 0 }, { epoch: "e2" }));
  equal([app.getSnapshot().state.n, ...kept.values()], [0, "t2"]);
}

export async function itGivesUpWhereToTryAgainWouldOnlyRepeat() {
  const { app, next } = start();
  const socket = await next();
  socket.welcome();
  const sent = app.send("Add");
  socket.end(4400, "what was that?");
  equal((await refused(sent)).message, "what was that?");
  equal([app.getSnapshot().connection, app.getSnapshot().error.code], ["closed", "bad_message"]);
  equal((await refused(app.send("Add"))).code, "bad_message");
}

export async function messagesArriveOnceAlsoOverAReconnect() {
  const { app, next } = start();
  const heard = [];
  app.on("toast", (data) => heard.push(data));
  app.on("toast", () => { throw new Error("one listener's fault (expected in the log)"); });
  app.on("toast", (data) => heard.push(data + "!"));
  const first = await next();
  first.welcome();
  first.give(snapshot(1, {}, { messages: [{ id: 4, name: "toast", data: "a" }] }));
  first.give(delta(2, {}, { messages: [{ id: 5, name: "toast", data: "b" }] }));
  first.end(4408);
  const second = await next();
  second.welcome();
  second.give(snapshot(3, {}, { messages: [{ id: 5, name: "toast", data: "b" }, { id: 6, name: "toast", data: "c" }] }));
  equal(heard, ["a", "a!", "b", "b!", "c", "c!"]);
}

export async function itTellsWhichCommitItHasAndStartsAnewWhenThatIsLost() {
  const { app, next } = start();
  const heard = [];
  app.on("toast", (data) => heard.push(data));
  const first = await next();
  first.welcome();
  first.give(snapshot(7, { n: 1 }, { mark: "m7" }));
  first.give(delta(8, { n: 2 }, { mark: "m8", messages: [{ id: 5, name: "toast", data: "a" }] }));
  first.end(1006);
  const second = await next();
  second.welcome();
  equal([second.sent[0].epoch, second.sent[0].after, second.sent[0].mark], ["e1", 8, "m8"]);
  second.give(snapshot(8, { n: 7 }, { mark: "other", lost: true }));
  second.give(delta(9, { n: 8 }, { messages: [{ id: 5, name: "toast", data: "b" }] }));
  equal(app.getSnapshot().state, { n: 8 });
  equal(heard, ["a", "b"]);
}

export async function closeEndsItForGood() {
  const { app, next } = start();
  const socket = await next();
  socket.welcome();
  const sent = app.send("Add");
  app.close();
  check(socket.closed);
  equal((await refused(sent)).code, "closed");
  equal([app.getSnapshot().connection, app.getSnapshot().error], ["closed", null]);
  socket.give(snapshot(1, { n: 1 }));
  equal(app.getSnapshot().state, undefined);
}

export async function itIsAStoreForReactAndSvelte() {
  const { app, next } = start();
  const { onChange, getSnapshot, subscribe } = app; // no this
  check(getSnapshot() === getSnapshot(), "the same object until something changes");
  let changes = 0;
  const values = [];
  const stops = [onChange(() => changes++), subscribe(({ connection }) => values.push(connection))];
  const socket = await next();
  socket.welcome();
  equal([changes, values], [1, ["connecting", "online"]]);
  for (const stop of stops) stop();
  socket.end(1006);
  equal([changes, values.length], [1, 2]);
}

export async function itCancelsTasks() {
  const { app, next } = start();
  const socket = await next();
  socket.welcome();
  app.cancel("a.T-1");
  app.cancel();
  equal(socket.sent.slice(1).map(({ name, arg }) => [name, arg]), [["holdfast.cancel", "a.T-1"], ["holdfast.cancel", null]]);
}

export function itMergesAsRFC7396Says() {
  const cases = [ // the table of its appendix A
    [{ a: "b" }, { a: "c" }, { a: "c" }], [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }], [{ a: "b" }, { a: null }, {}],
    [{ a: "b", b: "c" }, { a: null }, { b: "c" }], [{ a: ["b"] }, { a: "c" }, { a: "c" }], [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
    [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }], [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
    [["a", "b"], ["c", "d"], ["c", "d"]], [{ a: "b" }, ["c"], ["c"]], [{ a: "foo" }, null, null], [{ a: "foo" }, "bar", "bar"],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }], [[1, 2], { a: "b", c: null }, { a: "b" }], [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ];
  for (const [target, patch, want] of cases) equal(mergePatch(target, patch), want);
  const merged = mergePatch({}, JSON.parse('{"__proto__": {"polluted": 1}}'));
  check(({}).polluted === undefined && Object.hasOwn(merged, "__proto__"), "a member called __proto__ is a member");
}

// --- helpers ---

function check(condition, what = "") {
  if (!condition) throw new Error(`check failed: ${what}`);
}

function equal(got, want) {
  const [a, b] = [JSON.stringify(got), JSON.stringify(want)];
  if (a !== b) throw new Error(`got ${a}, want ${b}`);
}

function refused(promise) {
  return promise.then(() => { throw new Error("it was not refused"); }, (error) => error);
}
