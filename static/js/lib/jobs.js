// A long job on the page: it starts when it is swapped in, reports, is stopped, and ends.
//
// The element with `data-job` listens to the job's event stream. The element around it with
// `data-state` says how the job is: running, done, or stopped (by a press, an error, a refusal).
// Where that also has `data-job-show`, a press that starts the job brings it into view.
// In it may be: a button `data-job-stop`; `data-job-again`, which gets the focus once stopped;
// `data-job-status`, which tells a screen reader the words of `data-job-words` at the end; and in the
// listening element `data-job-waiting`: words that hold only until the first report.

import "./streams.js";

const holder = (job) => job.closest("[data-state]");

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  if (ctx?.sourceElement?.matches("details")) return;
  const job = document.getElementById(ctx?.target?.id)?.querySelector("[data-job-show] [data-job]");
  if (job && holder(job).dataset.state === "running" && !job.dataset.shown) {
    job.dataset.shown = "";
    holder(job).scrollIntoView({ block: "nearest" });
  }
});

/** The job has ended: `layerscope:ended` is told to the element around it. */
function end(job, state) {
  const around = holder(job);
  around.dataset.state = state;
  // Nothing was reported: the place in the queue is no longer true.
  if (state === "stopped" && job.querySelector("[data-job-waiting]")) job.replaceChildren();
  const status = around.querySelector("[data-job-status]");
  const words = job.querySelector("[data-job-words]");
  if (status && words) status.textContent = words.textContent;
  around.dispatchEvent(new CustomEvent("layerscope:ended", { bubbles: true }));
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-job-stop]");
  if (!button) return;
  const around = holder(button);
  const job = around.querySelector("[data-job]");
  // What it reached stays. Removing the listening element closes the stream, and the server stops.
  const reached = job.cloneNode(true);
  for (const name of ["hx-sse:connect", "hx-sse:close", "data-htmx-powered"]) reached.removeAttribute(name);
  htmx.swap({ target: job, swap: "outerHTML", text: reached.outerHTML });
  end(around.querySelector("[data-job]"), "stopped");
  around.querySelector("[data-job-again]")?.focus();
});

document.addEventListener("done", ({ target, detail }) => {
  if (target.matches?.("[data-job]")) end(target, detail.data === "failed" ? "stopped" : "done");
});

// Refused, for example because another page of the same user has a long job: the notice says why.
document.addEventListener("htmx:response:error", ({ detail: { ctx } }) => {
  if (ctx.sourceElement.matches?.("[data-job]")) end(ctx.sourceElement, "stopped");
});
