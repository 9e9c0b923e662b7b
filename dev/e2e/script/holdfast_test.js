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
  welcome(token = "t1", epoch = "e1") {
    this.onopen({});
    this.give({ type: "welcome", app: "a", session: "a-1", token, epoch, workflows: "http://ui/" });
  }
  get events() { return this.sent.filter(({ type }) => type === "event"); }
}

/**
 * A client with sockets and a storage of its own; `next` waits for the next socket that it opens. `answer` answers when the client
 * asks why it is refused.
 */
function start(answer = () => new Response(null, { status: 204 })) {
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
  const asked = [];
  const fetch = async (url, options) => {
    asked.push({ url, ...options });
    return answer();
  };
  return { app: connect("/a/", { WebSocket, storage, fetch }), kept, next, asked };
}

/** A client that is online, with revision 1 of its state. */
async function started() {
  const all = start();
  const socket = await all.next();
  socket.welcome();
  socket.give(snapshot(1, { n: 1 }));
  return { ...all, socket };
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
  equal(second.sent.slice(1), [{ type: "event", id: 2, epoch: "e1", name: "Two" }, { type: "event", id: 3, epoch: "e1", name: "Three" }]);
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
  const all = [];
  const stop = app.onMessage(({ id, name, data }) => all.push([id, name, data].join()));
  const first = await next();
  first.welcome();
  first.give(snapshot(1, {}, { messages: [{ id: 4, name: "toast", data: "a" }] }));
  first.give(delta(2, {}, { messages: [{ id: 5, name: "toast", data: "b" }] }));
  first.end(4408);
  const second = await next();
  second.welcome();
  second.give(snapshot(3, {}, { messages: [{ id: 5, name: "toast", data: "b" }, { id: 6, name: "toast", data: "c" }] }));
  stop();
  second.give(delta(4, {}, { messages: [{ id: 7, name: "other", data: "d" }] }));
  equal(heard, ["a", "a!", "b", "b!", "c", "c!"]);
  equal(all, ["4,toast,a", "5,toast,b", "6,toast,c"]);
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
  const { app, socket } = await started();
  const one = app.cancel("a.T-1");
  const all = app.cancel();
  equal(socket.events.map(({ name, arg }) => [name, arg]), [["holdfast.cancel", "a.T-1"], ["holdfast.cancel", null]]);
  socket.give({ type: "ack", id: 1, revision: 2 });
  check(await pending(one), "it is not listed as cancelling yet");
  socket.give(delta(2, undefined, { states: {}, tasks: [{ id: "a.T-1", name: "T", status: "cancelling", since: "" }] }));
  await one;
  equal(app.getSnapshot().tasks[0].status, "cancelling");
  socket.give({ type: "ack", id: 2, revision: 2 });
  await all;
}

export async function anEventThatChangesNothingInAFreshSessionResolves() {
  const { app, next } = start();
  const socket = await next();
  socket.welcome();
  const sent = [app.send("Look"), app.send("Look")];
  socket.give({ type: "ack", id: 1, revision: 0 });
  check(await pending(sent[0]), "the snapshot is not here yet");
  socket.give(snapshot(0, { n: 0 }));
  socket.give({ type: "ack", id: 2 }); // from a starter that leaves 0 out
  await Promise.all(sent);
}

export async function anEventOverTheLimitIsRefusedAndTheConnectionGoesOn() {
  const { app, socket } = await started();
  for (const arg of ["x".repeat(1 << 20), "é".repeat(1 << 19), ["\"".repeat(1 << 19)]]) {
    equal((await refused(app.send("Add", arg))).code, "too_big");
  }
  equal((await refused(app.send("x".repeat(1 << 20)))).code, "too_big");
  equal([app.getSnapshot().connection, socket.events.length], ["online", 0]);
  app.send("Add", "é".repeat((1 << 19) - 200));
  check(new TextEncoder().encode(JSON.stringify(socket.events[0])).length <= 1 << 20);
  equal(socket.events[0].id, 1);
}

export async function anArgumentThatJSONCannotHoldIsRefusedAndUsesUpNoId() {
  const { app, socket } = await started();
  const cycle = {};
  cycle.cycle = cycle;
  const thrower = { toJSON() { throw new Error("no JSON of me"); } };
  for (const arg of [10n, cycle, thrower, nested(64), nested(100_000), { a: nested(63) }]) {
    equal((await refused(app.send("Add", arg))).code, "bad_argument");
  }
  equal([app.getSnapshot().connection, socket.events.length], ["online", 0]);
  app.send("Add", nested(63));
  app.send("Add", "[{".repeat(1000) + '"\\');
  app.send("Add", undefined);
  equal(socket.events.map(({ id }) => id), [1, 2, 3]);
  equal("arg" in socket.events[2], false);
}

export async function closeSettlesEveryPromise() {
  const { app, socket } = await started();
  const [applied, waits, cancel] = [app.send("Add"), app.send("Add"), app.cancel()];
  socket.give({ type: "ack", id: 1, revision: 9 });
  app.close();
  await applied; // it was applied; that it is not shown any more is what close asks for
  equal([(await refused(waits)).code, (await refused(cancel)).code], ["closed", "closed"]);
  equal((await refused(app.send("Add"))).code, "closed");
}

export async function givingUpSettlesEveryPromise() {
  for (const [code, name] of [[1009, "too_big"], [4400, "bad_message"], [4429, "too_many_events"]]) {
    const { app, socket } = await started();
    const [applied, waits] = [app.send("Add"), app.cancel()];
    socket.give({ type: "ack", id: 1, revision: 9 });
    socket.end(code);
    await applied;
    equal([(await refused(waits)).code, (await refused(app.send("Add"))).code, app.getSnapshot().error.code], [name, name, name]);
  }
}

export async function aLostSessionSettlesEveryPromise() {
  const { app, next, socket } = await started();
  const [applied, waits, cancel] = [app.send("Add"), app.send("Add"), app.cancel()];
  socket.give({ type: "ack", id: 1, revision: 9 });
  socket.end(4401, "forged");
  await applied;
  equal([(await refused(waits)).code, (await refused(cancel)).code], ["session_lost", "session_lost"]);
  const second = await next();
  second.welcome("t2", "e2");
  equal([second.sent[0].sent, "epoch" in second.sent[0]], [3, false]);
  const sent = app.send("Add");
  equal(second.events, [{ type: "event", id: 4, epoch: "e2", name: "Add" }]);
  second.give(snapshot(1, { n: 1 }, { epoch: "e2" }));
  second.give({ type: "ack", id: 4, revision: 1 });
  await sent;
}

export async function anotherLifeOfTheSessionSettlesEveryPromise() {
  const { app, next, socket } = await started();
  const [applied, waits] = [app.send("Add"), app.send("Add")];
  socket.give({ type: "ack", id: 1, revision: 9 });
  socket.end(1006);
  const queued = app.cancel();
  const second = await next();
  second.welcome("t1", "e2");
  equal([(await refused(waits)).code, (await refused(queued)).code], ["session_lost", "session_lost"]);
  equal(second.events, []); // nothing is applied again
  second.give(snapshot(0, { n: 0 }, { epoch: "e2" }));
  await applied;
}

export async function whatTheStarterRefusesOfAnEarlierLifeIsLost() {
  const { app, socket } = await started();
  const [other, forgotten] = [app.send("Add"), app.send("Add")];
  socket.give({ type: "ack", id: 1, revision: 1, error: { code: "other_epoch", message: "…" } });
  socket.give({ type: "ack", id: 2, revision: 1, error: { code: "forgotten", message: "…" } });
  equal([(await refused(other)).code, (await refused(forgotten)).code], ["session_lost", "forgotten"]);
}

export async function whatTheStoreHasLostAfterItsAcknowledgementResolves() {
  const { app, next, socket } = await started();
  const applied = app.send("Add");
  socket.give({ type: "ack", id: 1, revision: 9 });
  socket.give(delta(3, { n: 3 })); // a gap: the client asks for all of it
  const second = await next();
  second.welcome();
  check(await pending(applied));
  second.give(snapshot(2, { n: 2 }));
  await applied;
}

export async function itTellsWhatItSentAndThatItsLoadRan() {
  const { app, next } = start();
  app.send("Early"); // waits
  const first = await next();
  equal(first.events, []);
  first.welcome();
  const { sent, loaded, epoch } = first.sent[0];
  equal([sent, loaded, epoch], [undefined, undefined, undefined]);
  equal(first.events, [{ type: "event", id: 1, epoch: "e1", name: "Early" }]);
  first.give({ type: "loaded" });
  app.send("Add");
  first.end(1006);
  app.send("Add"); // is not sent yet
  const second = await next();
  second.welcome();
  const hello = second.sent[0]; // no snapshot has come: it has no position
  equal([hello.sent, hello.loaded, hello.epoch, "after" in hello], [2, true, "e1", false]);
  equal(second.events.map(({ id }) => id), [1, 2, 3]);
  second.end(1006);
  const third = await next();
  third.welcome("t1", "e2");
  third.end(1006);
  const fourth = await next();
  fourth.onopen({});
  equal([fourth.sent[0].loaded, fourth.sent[0].epoch], [false, "e2"]); // it is to run in the new life
}

export async function aRefusedHandshakeIsShownAndSettlesEveryPromise() {
  let status = 401;
  const { app, next, asked } = start(() => new Response(null, { status }));
  const waits = app.send("Add");
  for (let i = 0; i < 3; i++) {
    equal(app.getSnapshot().error, null);
    (await next()).end(1006);
  }
  equal((await refused(waits)).code, "unauthorized");
  equal([app.getSnapshot().connection, app.getSnapshot().error.code], ["offline", "unauthorized"]);
  equal((await refused(app.send("Add"))).code, "unauthorized");
  check(asked[0].method === "POST" && asked[0].url.startsWith("http://") && asked[0].url.endsWith("/a/socket"), asked[0].url);
  const back = await next(); // it goes on trying
  back.welcome();
  equal([app.getSnapshot().connection, app.getSnapshot().error], ["online", null]);
  app.send("Add");
  equal(back.events.map(({ id }) => id), [2]);
}

export async function whyAHandshakeIsRefusedHasACode() {
  const redirect = () => Object.defineProperty(Response.error(), "type", { value: "opaqueredirect" });
  const cases = [
    ["forbidden", () => new Response(null, { status: 403 })], ["not_found", () => new Response(null, { status: 404 })],
    ["unauthorized", redirect], ["unavailable", () => new Response(null, { status: 503 })],
    ["unreachable", () => new Response(null, { status: 204 })], ["unreachable", () => new Response(null, { status: 405 })],
    ["unreachable", () => { throw new TypeError("Failed to fetch"); }],
  ];
  await Promise.all(cases.map(async ([code, answer]) => {
    const { app, next } = start(answer);
    for (let i = 0; i < 3; i++) (await next()).end(1006);
    await until(app, ({ error }) => error);
    equal(app.getSnapshot().error.code, code);
    if (code === "unavailable" || code === "unreachable") { // these pass: events wait
      const sent = app.send("Add");
      const back = await next();
      back.welcome();
      back.give(snapshot(0, {}));
      back.give({ type: "ack", id: 1, revision: 0 });
      await sent;
    }
    app.close();
  }));
}

export async function aPageThatMayUseNoWebSocketIsTold() {
  class WebSocket { constructor() { throw new Error("forbidden by the page's policy"); } }
  const app = connect("/a/", { WebSocket, storage: { getItem: () => null } });
  equal([app.getSnapshot().connection, app.getSnapshot().error.code], ["closed", "forbidden"]);
  equal((await refused(app.send("Add"))).code, "forbidden");
}

export function itMergesWhateverTheDepth() {
  let [target, patch] = [{ n: 1 }, { n: 2 }];
  for (let i = 0; i < 100_000; i++) [target, patch] = [{ in: target, kept: i }, { in: patch }];
  let merged = mergePatch(target, patch);
  for (let i = 100_000; i > 0; i--) {
    check(merged.kept === i - 1, "kept");
    merged = merged.in;
  }
  equal(merged, { n: 2 });
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

// nested makes arrays within each other.
function nested(depth) {
  let value = [];
  for (let i = 1; i < depth; i++) value = [value];
  return value;
}

// pending says whether the promise is not settled, once all that is due has run.
async function pending(promise) {
  const not = {};
  await new Promise((resolve) => setTimeout(resolve));
  return await Promise.race([promise, Promise.resolve(not)]) === not;
}

// until waits until the snapshot makes the condition true.
function until(app, condition) {
  return new Promise((resolve) => {
    const stop = app.onChange(() => { if (condition(app.getSnapshot())) { stop(); resolve(); } });
    if (condition(app.getSnapshot())) { stop(); resolve(); }
  });
}

function refused(promise) {
  return promise.then(() => { throw new Error("it was not refused"); }, (error) => error);
}
