// Uploads a picture as soon as it is chosen; see `drop.js` for those dropped and pasted.
import { say } from "./notice.js";

/** Send one file through the upload form. */
export function send(file) {
  const form = document.getElementById("upload");
  const bag = new DataTransfer();
  bag.items.add(file);
  form.querySelector("input[type=file]").files = bag.files;
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
