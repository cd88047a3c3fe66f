// A message at the top of the page.

export function say(title, detail) {
  const notice = document.getElementById("notice");
  const box = document.createElement("div");
  box.className = "notice";
  const text = box.appendChild(document.createElement("p"));
  text.appendChild(document.createElement("strong")).textContent = `${title}. `;
  text.append(detail);
  const close = box.appendChild(document.createElement("button"));
  Object.assign(close, { type: "button", className: "icon", textContent: "×", title: "Close" });
  close.dataset.action = "dismiss";
  close.setAttribute("aria-label", "Close this message");
  notice.replaceChildren(box);
}
