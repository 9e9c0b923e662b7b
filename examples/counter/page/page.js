import { connect } from "../holdfast.js";

const app = connect();
window.holdfast = app; // for a look around from the browser's console

const element = (id) => document.getElementById(id);
const [counter, max, toggle, reset] = ["counter", "max", "toggle", "reset"].map(element);
const [connection, progress, problem, tasks] = ["connection", "progress", "problem", "tasks"].map(element);

const words = { connecting: "Connecting…", online: "Connected", offline: "Reconnecting…", closed: "Disconnected" };

app.subscribe((snapshot) => {
  connection.dataset.state = snapshot.connection;
  connection.textContent = snapshot.error?.message ?? words[snapshot.connection];
  if (!snapshot.state) return; // nothing has been received yet
  show(snapshot.state);
  list(snapshot.tasks);
});

function show(state) {
  counter.textContent = state.counter;
  progress.max = Math.max(1, state.max_counter);
  progress.value = state.counter;
  toggle.textContent = state.running ? "Stop" : "Start";
  toggle.disabled = reset.disabled = false;
  if (document.activeElement !== max) max.value = state.max_counter; // not under the user's fingers
}

function list(running) {
  tasks.replaceChildren(...running.map((task) => {
    const item = document.createElement("li");
    item.dataset.id = task.id;
    item.append(span("name", task.name), span("status", task.error ?? `${task.status} since ${clock(task.since)}`));
    if (task.url) item.append(link(task));
    return item;
  }));
}

function span(className, text) {
  return Object.assign(document.createElement("span"), { className, textContent: text });
}

function link(task) {
  return Object.assign(document.createElement("a"), {
    href: task.url, target: "_blank", textContent: "Open in Temporal", title: `Workflow ${task.id}`,
  });
}

function clock(time) {
  return new Date(time).toLocaleTimeString();
}

// A refused event says why; the next one that is accepted clears that away.
async function send(name, arg) {
  try {
    await app.send(name, arg);
    problem.textContent = "";
  } catch (error) {
    problem.textContent = error.message;
  }
}

toggle.addEventListener("click", () => send("ToggleRunning"));
reset.addEventListener("click", () => send("ClearCounter"));
max.addEventListener("input", () => {
  if (max.value === "") return; // still typing
  send("SetMaxCounter", max.valueAsNumber);
});
max.addEventListener("blur", () => {
  max.value = app.getSnapshot().state?.max_counter ?? "";
});
app.on("holdfast.task_failed", (failure) => {
  problem.textContent = failure.error;
});
