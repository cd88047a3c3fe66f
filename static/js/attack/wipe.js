// The original is wiped over the attacked picture by a slider that lies on it.

document.addEventListener("input", (event) => {
  const slider = event.target;
  if (slider.id !== "wipe") return;
  slider.parentElement.style.setProperty("--wipe", `${slider.value}%`);
  slider.setAttribute("aria-valuetext", Number(slider.value)
    ? `${slider.value} % of the width is the original` : "the attacked picture alone");
});
