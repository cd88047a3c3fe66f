// Uploads a picture chosen by click, drop or paste.
import { say } from "./notice.js";

/** Send one file through the upload form. */
export function send(file) {
  const form = document.getElementById("upload");
  const input = form.querySelector("input[type=file]");
  const bag = new DataTransfer();
  bag.items.add(file);
  input.files = bag.files;
  submit(form);
}

function submit(form) {
  const file = form.querySelector("input[type=file]").files[0];
  if (!file) return;
  const limit = Number(form.dataset.limit);
  if (file.size > limit * 1e6) {
    const size = Math.round(file.size / 1e6);
    say("This picture is too big", `It has ${size} MB; the limit is ${limit} MB. Please make it smaller.`);
    form.reset();
    return;
  }
  const words = form.querySelector(".say");
  form.dataset.words ??= words.textContent;
  words.textContent = "Sending …";
  form.requestSubmit();
}

document.addEventListener("change", (event) => {
  if (event.target.matches?.(".upload input[type=file]")) submit(event.target.form);
});

// The gallery is drawn again after a success; after an error the form is reset.
document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  const form = ctx.sourceElement;
  if (!form.matches?.(".upload") || !form.isConnected) return;
  form.reset();
  form.querySelector(".say").textContent = form.dataset.words;
});

const curtain = document.getElementById("drop");
let depth = 0;
const carriesFile = (event) => event.dataTransfer?.types.includes("Files");
document.addEventListener("dragenter", (event) => {
  if (!carriesFile(event)) return;
  depth += 1;
  curtain.hidden = false;
});
document.addEventListener("dragleave", (event) => {
  if (carriesFile(event) && --depth <= 0) curtain.hidden = true;
});
document.addEventListener("dragover", (event) => { if (carriesFile(event)) event.preventDefault(); });
document.addEventListener("drop", (event) => {
  if (!carriesFile(event)) return;
  event.preventDefault();
  depth = 0;
  curtain.hidden = true;
  if (event.dataTransfer.files[0]) send(event.dataTransfer.files[0]);
});
document.addEventListener("paste", (event) => {
  const file = [...(event.clipboardData?.files ?? [])].find((one) => one.type.startsWith("image/"));
  if (file) send(file);
});
