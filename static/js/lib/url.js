// The page's URL is its state: read here, written here.

/** The sub-path under which a proxy serves this server, such as /user/7; "" at the root of a host. */
export const BASE = document.documentElement.dataset.base;

/** The parameters of the page's URL, as a copy. */
export const parameters = () => new URLSearchParams(location.search);

/** Write a URL to the address bar, without an entry in the history. */
export function replaceUrl(url) {
  const whole = new URL(url, location.href);
  if (whole.href !== location.href) history.replaceState(history.state, "", whole);
}

/** What a form would send, as a query string. */
export const formQuery = (form) => new URLSearchParams(new FormData(form)).toString();
