// The browser's side of Holdfast: one connection to one session of an app, kept over every interruption.
//
//   import { connect } from "../holdfast.js";    // relative, so that it works under any prefix
//   const app = connect();                       // the app whose page this is
//   app.subscribe(({ state }) => { … });         // at once, and at every change
//   await app.send("SetMaxCounter", 20);         // when it resolves, the change is here
//
// It speaks the protocol holdfast.v1. It cannot see the starter's pings, so of a connection that breaks without a word it
// learns when it next sends, or from the browser.

/**
 * @typedef {object} Task A task of the session.
 * @property {string} id Its id, which is also that of its Temporal workflow.
 * @property {string} name
 * @property {"starting"|"running"|"cancelling"|"failed"} status A failed task stays on the list for a while.
 * @property {string} since When it was asked for, in ISO 8601; of a failed task, when it failed.
 * @property {string} [error] What a failed task failed with.
 * @property {string} [url] Its workflow in the Temporal Web UI, where the operator has set that up.
 */

/**
 * @typedef {object} Snapshot What is known at one moment. It is never changed: each change makes a new one, in which what did
 * not change is the same object as before.
 * @property {"connecting"|"online"|"offline"|"closed"} connection "connecting": the first attempt; "online": the session is here;
 * "offline": reconnecting after a failure; "closed": ended for good, by `close` or because to try again would only repeat.
 * @property {HoldfastError|null} error When closed: why the connection was given up; null after `close`. When offline:
 * why the starter cannot be reached, once three attempts in a row have failed; the client goes on trying. Its code is
 * "unauthorized" (sign in), "forbidden", "not_found", "unavailable" (the server answers that it cannot serve now) or
 * "unreachable" (no answer, or none to web sockets).
 * @property {string} session The session's public name; empty until the first connection.
 * @property {number} revision
 * @property {Object<string, object>} states The app's states by name; empty until the first connection.
 * @property {object|undefined} state The state of an app that has only one.
 * @property {Task[]} tasks The session's tasks, oldest first.
 */

/** An event that was refused, or a connection that fails. `code` is for programs, `message` for people. */
export class HoldfastError extends Error {
  /** @param {string} code @param {string} message @param {{cause?: unknown}} [options] */
  constructor(code, message, options) {
    super(message, options);
    this.name = "HoldfastError";
    this.code = code;
  }
}

const PROTOCOL = "holdfast.v1";
const MAX_WAITING = 256; // events without acknowledgement; the starter allows no more
const MAX_FRAME = 1 << 20; // bytes; the starter closes a connection with a longer one
const FRAME_HEAD = 256; // bytes of a frame that are kept free for all but the event's name and argument
const MAX_DEPTH = 64; // arrays and objects within each other in one frame
const FIRST_PAUSE = 200; // ms before the first reconnect
const MAX_PAUSE = 5000;
const ATTEMPTS = 3; // that never opened, before the client asks why

// Close codes after which to try again would only repeat.
const GIVE_UP = { 1009: "too_big", 4400: "bad_message", 4429: "too_many_events" };
const BAD_TOKEN = 4401;

// What the server's answer to a plain request says of a handshake that it refused; of the first three it only repeats itself
// until somebody does something.
const REFUSALS = {
  401: ["unauthorized", "the server wants to know who you are"],
  403: ["forbidden", "the server does not let this page connect"],
  404: ["not_found", "there is no such app at this address"],
  204: ["unreachable", "the server answers, but web sockets do not get through to it"],
};
const LASTING = new Set(["unauthorized", "forbidden", "not_found"]);

/**
 * Connects to an app and stays connected until `close`.
 *
 * The session's token is kept in the tab's sessionStorage: a reload keeps the session, a duplicated tab shares it.
 *
 * @param {string} [path] The app's address, such as "/counter/". Defaults to the directory of the page.
 * @param {{WebSocket?: typeof WebSocket, fetch?: typeof fetch, storage?: Storage}} [options] Stand-ins, for tests.
 * @returns {Connection}
 */
export function connect(path = ".", options = {}) {
  return new Connection(new URL(path, document.baseURI), options);
}

/** A connection to one session; made by `connect`. Its methods need no `this`, so they can be handed on. */
export class Connection {
  #url;
  #WebSocket;
  #fetch;
  #storage;
  #socket = null;
  #refused = 0; // attempts in a row that never opened
  #retry = null; // the timer of the next attempt
  #failures = 0; // in a row
  #client = randomName(); // names this load of the page, within which events are numbered
  #lastEvent = 0;
  #sent = 0; // the highest number of an event that a socket was given
  #epoch = null; // names the session's life
  #loaded = false; // what runs on load has run, in this life
  #waiting = new Map(); // events that are not acknowledged, by id, in order
  #position = null; // {epoch, revision, mark} up to which the state is known
  #lastMessage = 0;
  #workflows = "";
  #listeners = new Set();
  #messageListeners = new Map(); // name → Set
  #allMessages = new Set();
  #reached = []; // {revision, socket, resolve}: acknowledged, but the change is not here yet
  #snapshot = Object.freeze({
    connection: "connecting", error: null, session: "", revision: 0, states: {}, state: undefined, tasks: [],
  });

  /** @param {URL} url @param {{WebSocket?: typeof WebSocket, fetch?: typeof fetch, storage?: Storage}} options */
  constructor(url, { WebSocket = globalThis.WebSocket, fetch = globalThis.fetch?.bind(globalThis), storage = tabStorage() } = {}) {
    this.#url = url;
    this.#WebSocket = WebSocket;
    this.#fetch = fetch;
    this.#storage = storage;
    addEventListener("online", this.#reconnectNow);
    addEventListener("offline", this.#drop);
    addEventListener("pageshow", this.#reconnectNow); // back from the browser's cache of pages
    document.addEventListener("visibilitychange", this.#reconnectNow); // timers of a hidden page may sleep
    this.#open();
  }

  /** @returns {Snapshot} The same object until something changes. */
  getSnapshot = () => this.#snapshot;

  /**
   * Calls `listener` at every change, as React's useSyncExternalStore(app.onChange, app.getSnapshot) wants it.
   * @param {() => void} listener @returns {() => void} Ends it.
   */
  onChange = (listener) => {
    const entry = { listener }; // so that one function may listen twice
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
  };

  /**
   * Calls `listener` with the snapshot at once and at every change: the contract of a Svelte store.
   * @param {(snapshot: Snapshot) => void} listener @returns {() => void} Ends it.
   */
  subscribe = (listener) => {
    const stop = this.onChange(() => listener(this.#snapshot));
    listener(this.#snapshot);
    return stop;
  };

  /**
   * Calls `listener` with each message of the name that a section emits, once, also when the page was away for a while.
   * @param {string} name
   * @param {(data: any, message: {id: number, name: string, data: any}) => void} listener
   * @returns {() => void} Ends it.
   */
  on = (name, listener) => {
    const all = this.#messageListeners.get(name) ?? new Set();
    this.#messageListeners.set(name, all.add(listener));
    return () => all.delete(listener);
  };

  /**
   * Calls `listener` with each message, whatever its name, after those that `on` has for it.
   * @param {(message: {id: number, name: string, data: any}) => void} listener @returns {() => void} Ends it.
   */
  onMessage = (listener) => {
    const entry = { listener };
    this.#allMessages.add(entry);
    return () => this.#allMessages.delete(entry);
  };

  /**
   * Sends an event. It is applied exactly once and in the order of sending, also over a reconnect. While the connection is away
   * the event waits for it.
   * @param {string} name @param {any} [arg] What JSON can hold: nested at most 63 deep, just under 1 MiB.
   * @returns {Promise<void>} Resolves when the event is applied and its change is in the snapshot. Rejects with a HoldfastError
   * - when nothing was changed: "unknown_event", "bad_argument" (also an argument that JSON cannot hold, or one nested too deep),
   *   "too_big", "rejected", "failed", "too_many_events" (256 wait);
   * - when it may have been applied: "closed" after `close`, "session_lost" when the session has begun another life, "forgotten"
   *   when the starter no longer knows, "unauthorized", "forbidden" or "not_found" when the starter no longer lets the page
   *   connect, and the codes with which a connection is given up: "bad_message", "too_big", "too_many_events".
   */
  send = (name, arg) => {
    const { connection, error } = this.#snapshot;
    if (connection === "closed") return Promise.reject(error ?? closedError());
    if (LASTING.has(error?.code)) return Promise.reject(error);
    if (this.#waiting.size >= MAX_WAITING) {
      return Promise.reject(new HoldfastError("too_many_events", `${MAX_WAITING} events wait for their acknowledgement`));
    }
    let content;
    try {
      content = encodeEvent(name, arg);
    } catch (problem) {
      return Promise.reject(problem);
    }
    return new Promise((resolve, reject) => {
      const event = { id: ++this.#lastEvent, content, epoch: this.#epoch, resolve, reject };
      this.#waiting.set(event.id, event);
      if (connection === "online") this.#transmit(event);
    });
  };

  /**
   * Cancels a task of the session, or all of them. The task is listed as cancelling at once, and goes off the list when it has ended.
   * @param {string} [id] The task's id; without one, all of the session's tasks.
   * @returns {Promise<void>} Resolves when the snapshot lists the task as cancelling, or no longer. Rejects as `send` does, with
   * "rejected" when the session has no such task.
   */
  cancel = (id) => this.send("holdfast.cancel", id ?? null);

  /** Ends the connection for good. Events that wait for their answer reject with "closed". */
  close = () => this.#giveUp(null);

  // --- the connection ---

  #open() {
    this.#retry = null;
    let socket;
    try {
      socket = new this.#WebSocket(this.#address("ws").href, PROTOCOL);
    } catch (problem) { // the page may not use web sockets to there: a rule of its own forbids it
      this.#giveUp(new HoldfastError("forbidden", problem.message, { cause: problem }));
      return;
    }
    this.#socket = socket;
    let opened = false;
    const current = (handle) => (event) => { if (this.#socket === socket) handle(event); };
    socket.onopen = current(() => {
      opened = true;
      this.#refused = 0;
      socket.send(JSON.stringify(this.#hello()));
    });
    socket.onmessage = current(({ data }) => this.#receive(JSON.parse(data)));
    socket.onclose = current(({ code, reason }) => {
      if (!opened && ++this.#refused >= ATTEMPTS) this.#askWhy();
      this.#closed(code, reason);
    });
  }

  #address(scheme) {
    const address = new URL("socket", this.#url);
    address.protocol = address.protocol.replace("http", scheme === "ws" ? "ws" : "http");
    return address;
  }

  #hello() {
    const token = this.#loadToken();
    const hello = { type: "hello", client: this.#client };
    Object.assign(hello, token ? { token } : { new: true });
    if (this.#sent) hello.sent = this.#sent;
    if (!token || !this.#epoch) return hello;
    Object.assign(hello, { epoch: this.#epoch, loaded: this.#loaded });
    if (this.#position) Object.assign(hello, { after: this.#position.revision, mark: this.#position.mark });
    return hello;
  }

  #transmit(event) {
    event.epoch ??= this.#epoch;
    this.#sent = Math.max(this.#sent, event.id);
    const epoch = event.epoch ? `"epoch":${JSON.stringify(event.epoch)},` : "";
    this.#socket.send(`{"type":"event","id":${event.id},${epoch}${event.content}}`);
  }

  #closed(code, reason) {
    this.#socket = null;
    if (code in GIVE_UP) {
      this.#giveUp(new HoldfastError(GIVE_UP[code], reason || GIVE_UP[code]));
      return;
    }
    if (code === BAD_TOKEN) this.#loseSession(reason);
    const most = Math.min(MAX_PAUSE, FIRST_PAUSE * 2 ** this.#failures++);
    const pause = LASTING.has(this.#snapshot.error?.code) ? (MAX_PAUSE + Math.random() * MAX_PAUSE) / 2 : Math.random() * most;
    this.#retry = setTimeout(() => this.#open(), pause);
    this.#update({ connection: "offline" });
  }

  // Browsers do not say why a handshake was refused, so ask the same address by a plain request.
  async #askWhy() {
    const error = await whyRefused(this.#address("http"), this.#fetch);
    if (this.#refused < ATTEMPTS || this.#snapshot.connection === "closed") return; // it has opened meanwhile
    if (this.#snapshot.error?.code !== error.code) this.#update({ error });
    if (LASTING.has(error.code)) this.#rejectAll(error);
  }

  // The browser knows of the network: no need to wait for a time-out.
  #drop = () => {
    if (!this.#socket) return;
    const socket = this.#socket;
    this.#closed(1006, "");
    socket.close();
  };

  #reconnectNow = () => {
    if (this.#retry === null || document.visibilityState === "hidden") return;
    clearTimeout(this.#retry);
    this.#open();
  };

  // The state that is here can no longer be continued: ask for all of it.
  #resynchronise() {
    this.#position = null;
    this.#drop();
  }

  #loseSession(reason) {
    this.#saveToken(null);
    this.#position = null;
    this.#epoch = null;
    this.#loaded = false;
    this.#lastMessage = 0;
    this.#rejectAll(new HoldfastError("session_lost", reason || "the session is lost"));
  }

  #giveUp(error) {
    if (this.#snapshot.connection === "closed") return;
    clearTimeout(this.#retry);
    this.#retry = null;
    removeEventListener("online", this.#reconnectNow);
    removeEventListener("offline", this.#drop);
    removeEventListener("pageshow", this.#reconnectNow);
    document.removeEventListener("visibilitychange", this.#reconnectNow);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    this.#update({ connection: "closed", error });
    this.#rejectAll(error ?? closedError());
  }

  #rejectAll(error) {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(error);
    for (const { resolve } of this.#reached.splice(0)) resolve(); // these were applied
  }

  // --- what the starter says ---

  #receive(message) {
    switch (message.type) {
      case "welcome": return this.#welcome(message);
      case "snapshot": return this.#replace(message);
      case "delta": return this.#apply(message);
      case "ack": return this.#acknowledge(message);
      case "loaded": return void (this.#loaded = true);
      default: return undefined; // an error precedes a close, which is heeded; what a newer starter adds is not for us
    }
  }

  #welcome({ token, session, epoch, workflows }) {
    this.#failures = 0;
    this.#workflows = workflows ?? "";
    this.#saveToken(token);
    this.#enterLife(epoch);
    this.#update({ connection: "online", error: null, session });
    for (const event of this.#waiting.values()) {
      if (!event.epoch || event.epoch === this.#epoch) this.#transmit(event);
      else this.#lose(event);
    }
  }

  #enterLife(epoch) {
    if (!epoch || epoch === this.#epoch) return;
    this.#epoch = epoch;
    this.#loaded = false;
  }

  // An event of the session's earlier life: it may have been applied in it.
  #lose(event) {
    this.#waiting.delete(event.id);
    event.reject(new HoldfastError("session_lost", "the session was lost; the event may have been applied before"));
  }

  #replace({ epoch, revision, mark, lost, states, tasks, messages }) {
    const other = lost || (this.#position && this.#position.epoch !== epoch); // another life of the session counts anew
    if (other) this.#lastMessage = 0;
    this.#enterLife(epoch);
    this.#position = { epoch, revision, mark };
    // What an earlier connection acknowledged is in here, or the store has lost it.
    for (const reached of this.#reached) if (other || reached.socket !== this.#socket) reached.revision = 0;
    this.#show(revision, states, tasks, messages);
  }

  #apply({ revision, mark, states, tasks, messages }) {
    if (!this.#position || revision !== this.#position.revision + 1) return this.#resynchronise();
    this.#position = { ...this.#position, revision, mark };
    const merged = { ...this.#snapshot.states };
    for (const [name, patch] of Object.entries(states ?? {})) merged[name] = mergePatch(merged[name], patch);
    return this.#show(revision, merged, tasks, messages);
  }

  #show(revision, states, tasks, messages) {
    const names = Object.keys(states);
    const change = { revision, states, state: names.length === 1 ? states[names[0]] : undefined };
    if (tasks) change.tasks = tasks.map((task) => this.#linked(task));
    this.#update(change);
    for (const message of messages ?? []) this.#deliver(message);
    this.#settle();
  }

  #linked(task) {
    return this.#workflows ? { ...task, url: this.#workflows + encodeURIComponent(task.id) } : task;
  }

  #deliver(message) {
    if (message.id <= this.#lastMessage) return;
    this.#lastMessage = message.id;
    for (const listener of this.#messageListeners.get(message.name) ?? []) guard(() => listener(message.data, message));
    for (const { listener } of [...this.#allMessages]) guard(() => listener(message));
  }

  #acknowledge({ id, revision = 0, error }) {
    const event = this.#waiting.get(id);
    if (!event) return;
    if (error?.code === "other_epoch") {
      this.#lose(event);
      return;
    }
    this.#waiting.delete(id);
    if (error) {
      event.reject(new HoldfastError(error.code, error.message));
      return;
    }
    this.#reached.push({ revision, socket: this.#socket, resolve: event.resolve });
    this.#settle();
  }

  // Resolves the events whose change has arrived: acknowledgements and changes may overtake each other.
  #settle() {
    const here = this.#position?.revision ?? -1;
    const due = this.#reached.filter(({ revision }) => revision <= here);
    this.#reached = this.#reached.filter(({ revision }) => revision > here);
    for (const { resolve } of due) resolve();
  }

  // --- the snapshot and the token ---

  #update(change) {
    this.#snapshot = Object.freeze({ ...this.#snapshot, ...change });
    for (const { listener } of [...this.#listeners]) guard(listener);
  }

  #tokenKey() {
    return `holdfast:${this.#url.pathname}`;
  }

  #loadToken() {
    return this.#storage.getItem(this.#tokenKey());
  }

  #saveToken(token) {
    try {
      if (token) this.#storage.setItem(this.#tokenKey(), token);
      else this.#storage.removeItem(this.#tokenKey());
    } catch {
      this.#storage = memoryStorage(token ? [[this.#tokenKey(), token]] : []); // full, or forbidden
    }
  }
}

/**
 * Applies a JSON merge patch (RFC 7396). The target is not changed; parts that the patch does not name are shared. It takes no
 * stack, however deep the patch is nested.
 * @param {any} target @param {any} patch @returns {any}
 */
export function mergePatch(target, patch) {
  if (!isObject(patch)) return patch;
  const result = copyOf(target);
  const pending = [[result, patch]];
  while (pending.length > 0) {
    const [into, from] = pending.pop();
    for (const [name, value] of Object.entries(from)) {
      if (value === null) {
        delete into[name];
        continue;
      }
      const next = isObject(value) ? copyOf(Object.hasOwn(into, name) ? into[name] : undefined) : value;
      Object.defineProperty(into, name, { // also a member that is called __proto__
        value: next, enumerable: true, configurable: true, writable: true,
      });
      if (next !== value) pending.push([next, value]);
    }
  }
  return result;
}

function copyOf(value) {
  return isObject(value) ? { ...value } : {};
}

// The name and the argument of an event as members of its frame.
function encodeEvent(name, arg) {
  let text;
  try {
    text = JSON.stringify(arg);
  } catch (problem) { // a cycle, a BigInt, something nested far too deep
    throw new HoldfastError("bad_argument", `${name}: JSON cannot hold the argument: ${problem.message}`, { cause: problem });
  }
  const content = `"name":${JSON.stringify(String(name))}${text === undefined ? "" : `,"arg":${text}`}`;
  if (isLongerThan(MAX_FRAME - FRAME_HEAD, content)) {
    throw new HoldfastError("too_big", `${String(name).slice(0, 80)}: the argument is too long: an event has room for 1 MiB`);
  }
  if (isDeeperThan(MAX_DEPTH - 1, content)) {
    throw new HoldfastError("bad_argument", `${name}: the argument is nested more than ${MAX_DEPTH - 1} deep`);
  }
  return content;
}

// Whether the text takes more bytes than that in UTF-8.
function isLongerThan(bytes, text) {
  if (text.length * 3 <= bytes) return false;
  return text.length > bytes || new TextEncoder().encode(text).length > bytes;
}

// Whether arrays and objects in the JSON text stand more than `depth` deep in each other.
function isDeeperThan(depth, text) {
  let open = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (inString && c === "\\") i++; // what follows is no end
    else if (c === '"') inString = !inString;
    else if (inString) continue;
    else if (c === "[" || c === "{") {
      if (++open > depth) return true;
    } else if (c === "]" || c === "}") open--;
  }
  return false;
}

// Why the starter refuses the handshake, as far as it tells. A POST, because only that carries the page's origin.
async function whyRefused(address, fetch) {
  try {
    const response = await fetch(address.href, { method: "POST", credentials: "same-origin", cache: "no-store", redirect: "manual" });
    const status = response.type === "opaqueredirect" ? 401 : response.status; // to a page where one signs in
    if (status in REFUSALS) return new HoldfastError(...REFUSALS[status]);
    if (status >= 500) return new HoldfastError("unavailable", `the server cannot serve now (HTTP ${status})`);
    return new HoldfastError("unreachable", `web sockets do not get through to the server (HTTP ${status})`);
  } catch (problem) {
    return new HoldfastError("unreachable", "the server does not answer", { cause: problem });
  }
}

function closedError() {
  return new HoldfastError("closed", "the connection is closed");
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

// One listener's fault must not keep the others from hearing.
function guard(listener) {
  try {
    listener();
  } catch (error) {
    reportError(error);
  }
}

function randomName() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => (byte % 36).toString(36)).join("");
}

function tabStorage() {
  try {
    return globalThis.sessionStorage;
  } catch {
    return memoryStorage([]); // a page may be forbidden to store anything
  }
}

function memoryStorage(entries) {
  const kept = new Map(entries);
  return {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => kept.set(key, value),
    removeItem: (key) => kept.delete(key),
  };
}
