// The browser's side of Holdfast: one connection to one session of an app, kept over every interruption.
//
//   import { connect } from "/holdfast.js";
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
 * @property {"connecting"|"online"|"offline"|"closed"} connection "offline": reconnecting after a failure.
 * @property {HoldfastError|null} error Why the connection was given up.
 * @property {string} session The session's public name; empty until the first connection.
 * @property {number} revision
 * @property {Object<string, object>} states The app's states by name; empty until the first connection.
 * @property {object|undefined} state The state of an app that has only one.
 * @property {Task[]} tasks The session's tasks, oldest first.
 */

/** An event that was refused, or a connection that was given up. `code` is for programs, `message` for people. */
export class HoldfastError extends Error {
  /** @param {string} code @param {string} message */
  constructor(code, message) {
    super(message);
    this.name = "HoldfastError";
    this.code = code;
  }
}

const PROTOCOL = "holdfast.v1";
const MAX_WAITING = 256; // events without acknowledgement; the starter allows no more
const FIRST_PAUSE = 200; // ms before the first reconnect
const MAX_PAUSE = 5000;

// Close codes after which to try again would only repeat.
const GIVE_UP = { 1009: "too_big", 4400: "bad_message", 4429: "too_many_events" };
const BAD_TOKEN = 4401;

/**
 * Connects to an app and stays connected until `close`.
 *
 * The session's token is kept in the tab's sessionStorage: a reload keeps the session, a duplicated tab shares it.
 *
 * @param {string} [path] The app's address, such as "/counter/". Defaults to the directory of the page.
 * @param {{WebSocket?: typeof WebSocket, storage?: Storage}} [options] Stand-ins, for tests.
 * @returns {Connection}
 */
export function connect(path = ".", options = {}) {
  return new Connection(new URL(path, document.baseURI), options);
}

/** A connection to one session; made by `connect`. Its methods need no `this`, so they can be handed on. */
export class Connection {
  #url;
  #WebSocket;
  #storage;
  #socket = null;
  #retry = null; // the timer of the next attempt
  #failures = 0; // in a row
  #client = randomName(); // names this load of the page, within which events are numbered
  #lastEvent = 0;
  #waiting = new Map(); // events that are not acknowledged, by id, in order
  #position = null; // {epoch, revision, mark} up to which the state is known
  #lastMessage = 0;
  #workflows = "";
  #listeners = new Set();
  #messageListeners = new Map(); // name → Set
  #reached = []; // {revision, resolve}: acknowledged, but the change is not here yet
  #snapshot = Object.freeze({
    connection: "connecting", error: null, session: "", revision: 0, states: {}, state: undefined, tasks: [],
  });

  /** @param {URL} url @param {{WebSocket?: typeof WebSocket, storage?: Storage}} options */
  constructor(url, { WebSocket = globalThis.WebSocket, storage = tabStorage() } = {}) {
    this.#url = url;
    this.#WebSocket = WebSocket;
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
   * Sends an event. It is applied exactly once and in the order of sending, also over a reconnect.
   * @param {string} name @param {any} [arg]
   * @returns {Promise<void>} Resolves when the event is applied and its change is in the snapshot. Rejects with a
   * HoldfastError when the event was refused ("rejected", "bad_argument", …), when too many wait ("too_many_events"), or
   * when the connection ended before an answer ("closed", "session_lost"; then the event may have been applied).
   */
  send = (name, arg) => {
    if (this.#snapshot.connection === "closed") {
      return Promise.reject(this.#snapshot.error ?? new HoldfastError("closed", "the connection is closed"));
    }
    if (this.#waiting.size >= MAX_WAITING) {
      return Promise.reject(new HoldfastError("too_many_events", `${MAX_WAITING} events wait for their acknowledgement`));
    }
    return new Promise((resolve, reject) => {
      const id = ++this.#lastEvent;
      const frame = JSON.stringify({ type: "event", id, name, arg });
      this.#waiting.set(id, { frame, resolve, reject });
      if (this.#snapshot.connection === "online") this.#socket.send(frame);
    });
  };

  /**
   * Cancels a task of the session, or all of them. The task is listed as cancelling at once, and goes off the list when it has ended.
   * @param {string} [id] The task's id; without one, all of the session's tasks.
   * @returns {Promise<void>} Rejects with a HoldfastError "rejected" when the session has no such task.
   */
  cancel = (id) => this.send("holdfast.cancel", id ?? null);

  /** Ends the connection for good. Events that wait for their answer reject with "closed". */
  close = () => this.#giveUp(null);

  // --- the connection ---

  #open() {
    this.#retry = null;
    const address = new URL("socket", this.#url);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = new this.#WebSocket(address.href, PROTOCOL);
    this.#socket = socket;
    const current = (handle) => (event) => { if (this.#socket === socket) handle(event); };
    socket.onopen = current(() => socket.send(JSON.stringify(this.#hello())));
    socket.onmessage = current(({ data }) => this.#receive(JSON.parse(data)));
    socket.onclose = current(({ code, reason }) => this.#closed(code, reason));
  }

  #hello() {
    const token = this.#loadToken();
    const hello = { type: "hello", client: this.#client };
    Object.assign(hello, token ? { token } : { new: true });
    if (token && this.#position) {
      const { epoch, revision, mark } = this.#position;
      Object.assign(hello, { epoch, after: revision, mark });
    }
    return hello;
  }

  #closed(code, reason) {
    this.#socket = null;
    if (code in GIVE_UP) {
      this.#giveUp(new HoldfastError(GIVE_UP[code], reason || GIVE_UP[code]));
      return;
    }
    if (code === BAD_TOKEN) this.#loseSession(reason);
    this.#update({ connection: "offline" });
    const most = Math.min(MAX_PAUSE, FIRST_PAUSE * 2 ** this.#failures++);
    this.#retry = setTimeout(() => this.#open(), Math.random() * most);
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
    this.#rejectAll(error ?? new HoldfastError("closed", "the connection is closed"));
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
      default: return undefined; // an error precedes a close, which is heeded; what a newer starter adds is not for us
    }
  }

  #welcome({ token, session, workflows }) {
    this.#failures = 0;
    this.#workflows = workflows ?? "";
    this.#saveToken(token);
    this.#update({ connection: "online", session });
    for (const { frame } of this.#waiting.values()) this.#socket.send(frame);
  }

  #replace({ epoch, revision, mark, lost, states, tasks, messages }) {
    if (lost || (this.#position && this.#position.epoch !== epoch)) { // another life of the session counts anew
      this.#lastMessage = 0;
      for (const { resolve } of this.#reached.splice(0)) resolve();
    }
    this.#position = { epoch, revision, mark };
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
  }

  #acknowledge({ id, revision, error }) {
    const event = this.#waiting.get(id);
    if (!event) return;
    this.#waiting.delete(id);
    if (error) {
      event.reject(new HoldfastError(error.code, error.message));
      return;
    }
    this.#reached.push({ revision, resolve: event.resolve });
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
 * Applies a JSON merge patch (RFC 7396). The target is not changed; parts that the patch does not name are shared.
 * @param {any} target @param {any} patch @returns {any}
 */
export function mergePatch(target, patch) {
  if (!isObject(patch)) return patch;
  const result = isObject(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else Object.defineProperty(result, name, { // also a member that is called __proto__
      value: mergePatch(Object.hasOwn(result, name) ? result[name] : undefined, value),
      enumerable: true, configurable: true, writable: true,
    });
  }
  return result;
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
