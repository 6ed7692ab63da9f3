// Choosing a place: what was opened is where one goes on. Without this file the page loads anew.
(() => {
  "use strict";
  document.addEventListener("htmx:afterSettle", (event) => {
    const trigger = event.detail.requestConfig?.elt;
    // It is no longer in the page, nor is what was around it.
    if (!trigger?.matches("[name='at'], [name='after']")) return;
    document.getElementById("site-here")?.focus();
  });
})();
