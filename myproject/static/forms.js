// Forms: what is wrong gets the focus, and what it is about is opened. Works without this file.
(() => {
  "use strict";
  const summary = document.querySelector("[data-error-summary]");
  summary?.focus();

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("[data-error-summary] a");
    const field = link && document.getElementById(link.hash.slice(1));
    if (!field) return;
    event.preventDefault();
    const folded = field.closest("details:not([open])");
    if (folded) folded.open = true;
    // A field may be shown by something else, which then says how to get there.
    const wanted = new CustomEvent("site:focus", { bubbles: true, cancelable: true });
    if (field.dispatchEvent(wanted)) field.focus();
    (field.offsetParent ? field : field.parentElement).scrollIntoView({ block: "center" });
  });
})();
