// Sheets of a big network are fetched when their card comes into view.

const near = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      near.unobserve(target);
      for (const image of target.querySelectorAll("image[data-href]")) {
        image.setAttribute("href", image.dataset.href);
        image.removeAttribute("data-href");
      }
    }
  },
  { rootMargin: "300px" },
);

function watch() {
  for (const card of document.querySelectorAll(".card:has(image[data-href])")) near.observe(card);
}

document.addEventListener("htmx:after:swap", watch);
watch();
