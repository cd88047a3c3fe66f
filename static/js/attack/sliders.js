// A slider that is moved switches on what it sets.

document.addEventListener("input", (event) => {
  const id = event.target.dataset?.switch;
  if (id) document.getElementById(id).checked = true;
}, true);
