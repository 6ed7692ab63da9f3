// Messages at the edge of a page: closed without loading the page again, and read out. Without this
// file closing one loads the page anew.
(() => {
  "use strict";
  for (const toast of document.querySelectorAll(".notification")) {
    const close = () => {
      const region = toast.parentElement;
      const inside = toast.contains(document.activeElement);
      toast.remove();
      if (!region.children.length) region.remove();
      // Whoever closes it by keyboard goes on where the page begins.
      if (inside) document.getElementById("site-main")?.focus();
    };
    toast.querySelector(".dismiss")?.addEventListener("click", (event) => {
      event.preventDefault();
      close();
    });
    toast.addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });
    // What is there when a page loads is no news to a screen reader; what is changed then is.
    const text = toast.querySelector("p");
    setTimeout(() => text.replaceChildren(text.textContent), 150);
  }
})();
