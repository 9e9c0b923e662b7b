// The page of an app that has none of its own: its state, its tasks, its messages, and a form for each of its events.

import { connect } from "../holdfast.js";

const app = connect();
window.holdfast = app; // for a look around from the browser's console

const element = (id) => document.getElementById(id);
const make = (tag, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
};

const words = { connecting: "Connecting…", online: "Connected", offline: "Reconnecting…", closed: "Disconnected" };
const MAX_MESSAGES = 100;
let shown = null; // the snapshot that the page shows

app.subscribe((snapshot) => {
  element("connection").dataset.state = snapshot.connection;
  element("connection").textContent = snapshot.error?.message ?? words[snapshot.connection];
  if (snapshot.states !== shown?.states) showState(snapshot);
  if (snapshot.tasks !== shown?.tasks) showTasks(snapshot.tasks);
  for (const button of document.querySelectorAll("form button")) button.disabled = snapshot.connection === "closed";
  shown = snapshot;
});

function showState({ state, states }) {
  element("state").textContent = JSON.stringify(state ?? states, null, 2);
}

function showTasks(tasks) {
  element("tasks").replaceChildren(...tasks.map((task) => {
    const item = make("li", {}, make("strong", { textContent: task.name }), make("span", { className: "status", textContent: statusOf(task) }));
    if (task.url) item.append(make("a", { href: task.url, target: "_blank", textContent: "Open in Temporal", title: `Workflow ${task.id}` }));
    if (task.status !== "failed") item.append(cancelButton(task));
    return item;
  }));
}

function statusOf({ status, since, error }) {
  return `${status} since ${new Date(since).toLocaleTimeString()}${error ? `: ${error}` : ""}`;
}

function cancelButton(task) {
  const button = make("button", { type: "button", textContent: "Cancel", ariaLabel: `Cancel ${task.name}` });
  button.disabled = task.status === "cancelling";
  button.addEventListener("click", () => tell(app.cancel(task.id)));
  return button;
}

app.onMessage((message) => {
  const log = element("messages");
  log.append(make("li", {}, make("strong", { textContent: message.name }), make("code", { textContent: JSON.stringify(message.data) })));
  while (log.children.length > MAX_MESSAGES) log.firstChild.remove();
});

// A refused event says why; the next one that is accepted clears that away.
async function tell(sent) {
  try {
    await sent;
    element("problem").textContent = "";
  } catch (error) {
    element("problem").textContent = error.message;
  }
}

function eventForm({ name, input }) {
  const form = make("form", {}, make("button", { textContent: name }));
  form.dataset.event = name;
  const field = make("input", { placeholder: `JSON ${input}`, ariaLabel: `Argument of ${name}, a JSON ${input}`, autocomplete: "off", spellcheck: false });
  if (input) form.append(field);
  form.addEventListener("submit", (submitted) => {
    submitted.preventDefault();
    try {
      tell(input ? app.send(name, argumentOf(field.value, input)) : app.send(name));
    } catch (error) {
      tell(Promise.reject(new Error(`${name} takes a JSON ${input}: ${error.message}`)));
    }
  });
  return form;
}

// A string may be typed without its quotes.
function argumentOf(text, input) {
  return input === "string" && !text.trim().startsWith('"') ? text : JSON.parse(text);
}

try {
  const { events } = await (await fetch("events.json")).json();
  element("events").replaceChildren(...events.map(eventForm));
} catch (error) {
  element("problem").textContent = `The list of events could not be loaded: ${error.message}`;
}
