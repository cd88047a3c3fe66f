// What every event stream of a page asks for: events, and nothing else.
//
// The proxies of notebook servers pass a stream on as it comes only where `Accept` is exactly this;
// anything more, such as htmx's "text/html, text/event-stream", they hold back until its end.
document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  if (ctx.sourceElement.hasAttribute?.("hx-sse:connect")) ctx.request.headers.Accept = "text/event-stream";
});
