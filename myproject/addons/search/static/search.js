// What is suggested while somebody types: shown, left and walked through with the keyboard.
// Without this file the form still searches.
(() => {
  "use strict";
  const fieldOf = (element) => element.closest?.(".search-field");
  const listOf = (field) => field.querySelector(".search-suggested");
  const close = (field) => {
    const list = listOf(field);
    if (list) list.hidden = true;
  };

  document.addEventListener("htmx:afterSwap", ({ target }) => {
    if (!target.matches?.(".search-suggested")) return;
    const field = fieldOf(target);
    target.hidden = !target.querySelector("a") || !field.contains(document.activeElement);
  });

  document.addEventListener("focusin", ({ target }) => {
    const field = fieldOf(target);
    const list = field && listOf(field);
    if (list && target.matches("input")) list.hidden = !target.value || !list.querySelector("a");
  });

  document.addEventListener("focusout", ({ target, relatedTarget }) => {
    const field = fieldOf(target);
    if (field && !field.contains(relatedTarget)) close(field);
  });

  document.addEventListener("keydown", (event) => {
    const field = fieldOf(event.target);
    const list = field && listOf(field);
    if (!list || list.hidden) return;
    const input = field.querySelector("input");
    const stops = [input, ...list.querySelectorAll("a")];
    const at = stops.indexOf(document.activeElement);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && at >= 0) {
      event.preventDefault();
      stops.at((at + step) % stops.length).focus();
    } else if (event.key === "Escape") {
      event.preventDefault();
      input.focus();
      close(field);
    }
  });
})();
