// A picture dropped or pasted on any page is used there, or goes to the explorer; never to a new tab.
import { BASE } from "./lib/url.js";
import { say } from "./notice.js";

const curtain = () => document.getElementById("drop");
const carriesFile = (event) => event.dataTransfer?.types.includes("Files");
const isField = (element) => element.closest?.("input, textarea, [contenteditable]");

/** The form for pictures nearest to where it was dropped, or the page's own. */
function formAt(element) {
  const near = element?.closest?.("[data-side]")?.querySelector("form[data-bring]");
  return near ?? document.querySelector("form[data-bring=page], [data-side=there] form[data-bring]");
}

function bring(files, element) {
  if (files.length > 1) {
    say("One picture at a time", "Please drop a single file.");
    return;
  }
  const form = formAt(element);
  if (!form) {
    explore(files[0]);
    return;
  }
  const input = form.querySelector("input[type=file]");
  const bag = new DataTransfer();
  bag.items.add(files[0]);
  input.files = bag.files;
  // Forms that send a picture as soon as it is chosen do so now.
  if (form.dataset.bring === "submit") form.requestSubmit();
  else input.dispatchEvent(new Event("change", { bubbles: true }));
}

/** This page has no place for a picture: show it in the explorer. */
async function explore(file) {
  const body = new FormData();
  body.append("file", file);
  try {
    const answer = await fetch(`${BASE}/api/v1/images`, { method: "POST", body });
    const told = await answer.json();
    if (answer.ok) location.assign(`${BASE}/?image=${encodeURIComponent(told.id)}`);
    else say(told.title, told.detail);
  } catch {
    say("No answer", "The server cannot be reached. Is it still running?");
  }
}

let depth = 0;
document.addEventListener("dragenter", (event) => {
  if (!carriesFile(event)) return;
  depth += 1;
  curtain()?.removeAttribute("hidden");
});
document.addEventListener("dragleave", (event) => {
  if (carriesFile(event) && --depth <= 0) curtain()?.setAttribute("hidden", "");
});
document.addEventListener("dragover", (event) => {
  if (!isField(event.target) || carriesFile(event)) event.preventDefault();
});
document.addEventListener("drop", (event) => {
  // What this page does itself with things dragged over it, such as the cards of X or O.
  if (event.defaultPrevented) return;
  const { files, types } = event.dataTransfer;
  if (!files.length && isField(event.target)) return;
  event.preventDefault();
  depth = 0;
  curtain()?.setAttribute("hidden", "");
  if (files.length) bring([...files], event.target);
  else if (types.includes("text/uri-list")) {
    say("That is a link", "Save the picture itself to this device, and drop the file.");
  } else if (types.includes("text/plain")) say("That is text", "Drop the file of a picture.");
});
document.addEventListener("paste", (event) => {
  const files = [...(event.clipboardData?.files ?? [])];
  if (!files.length) return;
  const pictures = files.filter((one) => one.type.startsWith("image/"));
  if (pictures.length) bring(pictures.slice(0, 1), document.activeElement);
  else say("That is no picture", "Copy a picture, or drop the file of one.");
});
