// Choosing a page: a text field for its path becomes a combobox that searches pages while one
// types (https://www.w3.org/WAI/ARIA/apg/patterns/combobox/). Without this file a path is typed.
(() => {
  "use strict";
  const WAIT = 120;

  const element = (name, attributes = {}, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };

  const enhance = (picker) => {
    const { picker: url, hint, none, found, failed, list: label, draft } = picker.dataset;
    const input = picker.querySelector("input[type=text]");
    const place = picker.querySelector(".picker-place");
    const list = element("ul", { role: "listbox", id: `${input.id}-list`, "aria-label": label, class: "picker-list", hidden: "" });
    const status = element("div", { role: "status", class: "visually-hidden" });
    const note = element("div", { class: "picker-note", hidden: "", "aria-hidden": "true" });
    const popup = element("div", { class: "picker-popup" }, list, note);
    input.after(popup, status);
    for (const [key, value] of Object.entries({
      role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id,
    })) input.setAttribute(key, value);
    if (!input.value) place.textContent = hint;

    let pages = [];
    let active = -1;
    let timer = 0;
    let request = null;

    const tell = (text) => {
      status.textContent = text;
      note.textContent = text;
    };

    const close = () => {
      clearTimeout(timer);
      request?.abort();
      list.hidden = note.hidden = true;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
      active = -1;
    };

    const mark = (index) => {
      list.children[active]?.setAttribute("aria-selected", "false");
      active = index;
      const option = list.children[active];
      if (!option) {
        input.removeAttribute("aria-activedescendant");
        return;
      }
      option.setAttribute("aria-selected", "true");
      option.scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", option.id);
    };

    const show = (answer) => {
      pages = answer;
      active = -1;
      list.replaceChildren(...pages.map((page, index) => {
        const title = element("span", { class: "picker-title" }, page.title);
        if (page.draft) title.append(" ", element("span", { class: "picker-draft" }, draft));
        const path = element("span", { class: "picker-path", dir: "ltr" }, page.path);
        return element("li", { role: "option", id: `${list.id}-${index}`, "aria-selected": "false" }, title, path);
      }));
      list.hidden = !pages.length;
      note.hidden = Boolean(pages.length);
      input.setAttribute("aria-expanded", String(Boolean(pages.length)));
      input.removeAttribute("aria-activedescendant");
      (pages.length ? list : note).scrollIntoView({ block: "nearest" });
      tell(pages.length ? found.replace("${count}", pages.length) : none);
    };

    const look = async () => {
      request?.abort();
      const text = input.value.trim();
      if (!text) return;
      const mine = request = new AbortController();
      try {
        const query = new URLSearchParams({ q: text, limit: 8 });
        const answer = await fetch(`${url}?${query}`, { signal: mine.signal, headers: { Accept: "application/json" } });
        // Somebody whose session has ended is sent to a form, which is no list of pages.
        if (!answer.ok || answer.redirected) throw new Error(answer.statusText);
        const { pages: answered } = await answer.json();
        if (mine === request && document.activeElement === input) show(answered);
      } catch (error) {
        if (error.name === "AbortError") return;
        close();
        note.hidden = false;
        tell(failed);
      }
    };

    const choose = (page) => {
      input.value = page.path;
      let shown = picker.querySelector("input[type=hidden]");
      if (!shown) {
        shown = element("input", { type: "hidden", name: `${input.name}.shown` });
        input.before(shown);
      }
      shown.value = `${page.id} ${page.path}`;
      place.replaceChildren(element("a", { href: page.url, target: "_blank" }, page.title));
      close();
      status.textContent = page.title;
      input.dispatchEvent(new Event("change", { bubbles: true }));
    };

    input.addEventListener("input", () => {
      clearTimeout(timer);
      place.textContent = hint;
      if (input.value.trim()) timer = setTimeout(look, WAIT);
      else close();
    });

    input.addEventListener("keydown", (event) => {
      if (event.isComposing) return;
      const open = !list.hidden;
      const last = pages.length - 1;
      switch (event.key) {
        case "ArrowDown":
          if (!open) look();
          else if (!event.altKey) mark(active < last ? active + 1 : 0);
          break;
        case "ArrowUp":
          if (!open) return;
          if (event.altKey) close();
          else mark(active > 0 ? active - 1 : last);
          break;
        case "Enter":
          if (!open || active < 0) return;
          choose(pages[active]);
          break;
        case "Escape":
          if (!open && note.hidden) return;
          close();
          break;
        default:
          return;
      }
      event.preventDefault();
    });

    input.addEventListener("blur", close);
    // The field keeps the focus while somebody clicks or scrolls in the list.
    popup.addEventListener("pointerdown", (event) => event.preventDefault());
    popup.addEventListener("mousedown", (event) => event.preventDefault());
    list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) choose(pages[[...list.children].indexOf(option)]);
    });
    list.addEventListener("pointermove", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) mark([...list.children].indexOf(option));
    });
  };

  for (const picker of document.querySelectorAll("[data-picker]")) enhance(picker);
})();
