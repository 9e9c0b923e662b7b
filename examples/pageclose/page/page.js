import { connect } from "../holdfast.js";

const app = connect();
window.holdfast = app; // for a look around from the browser's console

const [connection, printed, stop, tasks] = ["connection", "printed", "stop", "tasks"].map((id) => document.getElementById(id));
const words = { connecting: "Connecting…", online: "Connected", offline: "Reconnecting…", closed: "Disconnected" };

app.subscribe((snapshot) => {
  connection.dataset.state = snapshot.connection;
  connection.textContent = snapshot.error?.message ?? words[snapshot.connection];
  if (!snapshot.state) return; // nothing has been received yet
  printed.textContent = snapshot.state.printed;
  stop.disabled = !snapshot.tasks.some((task) => task.status === "running");
  tasks.replaceChildren(...snapshot.tasks.map(row));
});

function row(task) {
  const item = document.createElement("li");
  const since = new Date(task.since).toLocaleTimeString();
  item.append(span("name", task.name), span("status", task.error ?? `${task.status} since ${since}`));
  if (task.url) item.append(link(task));
  return item;
}

function span(className, text) {
  return Object.assign(document.createElement("span"), { className, textContent: text });
}

function link(task) {
  return Object.assign(document.createElement("a"), { href: task.url, target: "_blank", textContent: "Open in Temporal" });
}

stop.addEventListener("click", () => app.cancel().catch((error) => { connection.textContent = error.message; }));
