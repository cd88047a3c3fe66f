// The camera, where the page is secure (HTTPS); elsewhere the label opens its file input as usual.
import { send } from "./upload.js";

const dialog = document.getElementById("camera");
const video = dialog.querySelector("video");
const problem = dialog.querySelector(".problem");
let stream = null;
let facing = "environment";

const WORDS = {
  NotAllowedError: "The browser was not allowed to use the camera. You can allow it in the address bar.",
  NotFoundError: "No camera was found on this device.",
  NotReadableError: "The camera is in use by another program.",
};

async function start() {
  stop();
  problem.hidden = true;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: facing }, audio: false });
    video.srcObject = stream;
    await video.play();
  } catch (error) {
    problem.textContent = WORDS[error.name] ?? `The camera did not start: ${error.message}`;
    problem.hidden = false;
  }
}

function stop() {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = null;
}

function take() {
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  if (!canvas.width) return;
  canvas.getContext("2d").drawImage(video, 0, 0);
  canvas.toBlob((blob) => send(new File([blob], "camera.jpg", { type: "image/jpeg" })), "image/jpeg", 0.92);
}

document.addEventListener("click", (event) => {
  const label = event.target.closest?.('[data-action="camera"]');
  if (!label || !window.isSecureContext || !navigator.mediaDevices?.getUserMedia) return;
  event.preventDefault();
  dialog.returnValue = "";
  dialog.showModal();
  start();
});

dialog.addEventListener("submit", (event) => {
  if (event.submitter?.value !== "turn") return;
  event.preventDefault();
  facing = facing === "environment" ? "user" : "environment";
  start();
});
dialog.addEventListener("close", () => {
  if (dialog.returnValue === "take") take();
  stop();
});
