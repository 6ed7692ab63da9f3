// Small comforts on reading screens. Every screen works without this file.
(() => {
  "use strict";
  const labels = document.currentScript.dataset;

  // Bring the current page into view in a long navigation tree.
  const current = document.querySelector(".tree [aria-current]");
  const tree = current?.closest(".tree > ul");
  if (tree && tree.scrollHeight > tree.clientHeight) {
    const below = current.getBoundingClientRect().bottom - tree.getBoundingClientRect().bottom;
    if (below > -48) tree.scrollTop += below + tree.clientHeight / 2;
  }

  // What scrolls sideways must be reachable by keyboard, and only then.
  const wide = [...document.querySelectorAll(".prose pre, .prose table, .table-wrap")];
  const reach = () => {
    for (const box of wide) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  };
  if (wide.length) new ResizeObserver(reach).observe(document.body);

  // Copy a block of code.
  if (navigator.clipboard) {
    for (const pre of document.querySelectorAll(".prose pre")) {
      let frame = pre.closest(".code, .highlight") ?? pre;
      if (frame === pre) {
        frame = document.createElement("div");
        pre.replaceWith(frame);
        frame.append(pre);
      }
      frame.classList.add("copyable");
      const button = document.createElement("button");
      button.type = "button";
      button.className = "copy";
      button.textContent = labels.copy;
      button.setAttribute("aria-live", "polite");
      button.addEventListener("click", async () => {
        // A browser may refuse; then the label stays what it is.
        try { await navigator.clipboard.writeText(pre.textContent); } catch { return; }
        button.textContent = labels.copied;
        setTimeout(() => { button.textContent = labels.copy; }, 2000);
      });
      frame.append(button);
    }
  }

  // Copy what is shown once.
  for (const input of document.querySelectorAll(".copy-value")) {
    input.addEventListener("focus", () => input.select());
    if (!navigator.clipboard) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-primary";
    button.textContent = labels.copy;
    button.setAttribute("aria-live", "polite");
    button.addEventListener("click", async () => {
      try { await navigator.clipboard.writeText(input.value); } catch { return; }
      button.textContent = labels.copied;
      setTimeout(() => { button.textContent = labels.copy; }, 2000);
    });
    input.after(button);
  }

  // Mark in "On this page" the heading that was last scrolled past.
  const marks = new Map();
  for (const link of document.querySelectorAll(".toc a")) {
    const heading = document.getElementById(link.getAttribute("href").slice(1));
    if (heading) marks.set(heading, link);
  }
  if (marks.size) {
    let seen;
    const mark = () => {
      let last;
      for (const [heading, link] of marks) {
        if (heading.getBoundingClientRect().top > innerHeight / 4) break;
        last = link;
      }
      if (last === seen) return;
      seen?.classList.remove("seen");
      last?.classList.add("seen");
      seen = last;
    };
    let due = 0;
    addEventListener("scroll", () => { due ||= requestAnimationFrame(() => { due = 0; mark(); }); }, { passive: true });
    mark();
  }
})();
