import { connect } from "../holdfast.js";

const app = connect();
window.holdfast = app; // for a look around from the browser's console

const element = (id) => document.getElementById(id);
const [connection, order, upto, make, problem] = ["connection", "order", "upto", "make", "problem"].map(element);
const [running, percent, progress, sofar, cancel, workflow, past] =
  ["running", "percent", "progress", "sofar", "cancel", "workflow", "past"].map(element);

const words = { connecting: "Connecting…", online: "Connected", offline: "Reconnecting…", closed: "Disconnected" };
const number = (n) => n.toLocaleString();

app.subscribe((snapshot) => {
  connection.dataset.state = snapshot.connection;
  connection.textContent = snapshot.error?.message ?? words[snapshot.connection];
  if (!snapshot.state) return; // nothing has been received yet
  const task = snapshot.tasks.find(({ status }) => status !== "failed");
  make.disabled = Boolean(task);
  show(snapshot.state.building, task);
  if (past.shown !== snapshot.state.past) { // not a hundred times a second
    past.shown = snapshot.state.past;
    past.replaceChildren(...snapshot.state.past.map(row));
  }
});

function show(building, task) {
  running.hidden = !building;
  cancel.disabled = task?.status !== "running";
  workflow.hidden = !task?.url;
  if (task?.url) workflow.href = task.url;
  if (!building) return;
  progress.max = building.up_to;
  progress.value = building.through;
  percent.textContent = Math.floor(100 * building.through / building.up_to);
  sofar.textContent = `${number(building.primes)} primes up to ${number(building.through)}`;
}

function row(report) {
  const item = document.createElement("li");
  const seconds = Math.round((new Date(report.ended) - new Date(report.began)) / 1000);
  const result = report.done ? `${number(report.primes)} primes up to ${number(report.up_to)}`
    : `Stopped at ${number(report.through)} of ${number(report.up_to)}`;
  item.append(span("name", result), span("status", `${seconds} s, at ${new Date(report.ended).toLocaleTimeString()}`));
  return item;
}

function span(className, text) {
  return Object.assign(document.createElement("span"), { className, textContent: text });
}

async function attempt(promise) {
  try {
    await promise;
    problem.textContent = "";
  } catch (error) {
    problem.textContent = error.message;
  }
}

order.addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(app.send("Make", upto.valueAsNumber));
});
cancel.addEventListener("click", () => attempt(app.cancel()));
app.on("holdfast.task_failed", (failure) => { problem.textContent = failure.error; });
