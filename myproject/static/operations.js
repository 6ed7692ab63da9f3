// Choosing a place: what was opened is where one goes on. Without this file the page loads anew.
(() => {
  "use strict";
  document.addEventListener("htmx:afterSettle", (event) => {
    const trigger = event.detail.requestConfig?.elt;
    if (!trigger?.matches(".picker :is(.open, .more button)")) return;
    document.getElementById("site-here")?.focus();
  });
})();
