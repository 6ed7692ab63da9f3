// The palette: Ctrl+K, or Cmd+K, opens a field from which one goes to any page, adds one here, or
// does something else. It is what the link `data-palette` leads to, which works without this file.
(() => {
  "use strict";
  const labels = document.currentScript.dataset;
  const link = document.querySelector("a[data-palette]");
  if (!link) return;
  const apple = /Mac|iPhone|iPad/.test(navigator.platform);
  for (const hint of link.querySelectorAll("kbd")) if (apple) hint.textContent = "⌘K";

  let dialog, input, list, none, told;
  let moved = false; // whether somebody has chosen from the list as it is
  let asked = null; // what the list is of, or will be
  let answer = Promise.resolve();
  let request = null;

  const make = (name, attributes = {}, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  };

  // -- the list ---------------------------------------------------------------------------------

  const options = () => [...list.querySelectorAll("[role=option]")];
  const chosen = () => list.querySelector("[aria-selected=true]");

  const choose = (option, scroll = true) => {
    chosen()?.setAttribute("aria-selected", "false");
    if (!option) {
      input.removeAttribute("aria-activedescendant");
      return;
    }
    option.setAttribute("aria-selected", "true");
    input.setAttribute("aria-activedescendant", option.id);
    // With the heading of its group, if it is the first one.
    if (scroll) (option === options()[0] ? list.firstElementChild : option).scrollIntoView({ block: "nearest" });
  };

  const step = (by) => {
    const all = options();
    if (!all.length) return;
    const at = all.indexOf(chosen());
    choose(all[(at + by + all.length) % all.length]);
    moved = true;
  };

  const show = (html) => {
    const before = moved ? chosen()?.href : null;
    list.innerHTML = html;
    list.scrollTop = 0;
    told.textContent = list.querySelector("[data-told]")?.dataset.told ?? "";
    // A list without options is none: what there is to say stands beside it.
    const message = list.querySelector(".palette-none");
    message?.remove();
    const all = options();
    say(message ? message.childNodes : []);
    choose(all.find((option) => option.href === before) ?? all[0]);
  };

  const say = (message) => {
    none.replaceChildren(...message);
    none.hidden = !none.hasChildNodes();
    list.hidden = !none.hidden;
    input.setAttribute("aria-expanded", String(!list.hidden));
  };

  const fail = () => {
    list.replaceChildren();
    choose(null);
    say([`${labels.failed} `, make("a", { href: link.href }, labels.retry)]);
    told.textContent = labels.failed;
  };

  const load = async (text) => {
    request?.abort();
    request = new AbortController();
    const late = setTimeout(() => dialog.classList.add("busy"), 250);
    try {
      const url = new URL(labels.found, location.href);
      url.searchParams.set("at", labels.at);
      url.searchParams.set("q", text);
      // The header has whoever is signed out meanwhile refused, and not sent to a form.
      const response = await fetch(url, { headers: { "HX-Request": "true" }, signal: request.signal });
      if (!response.ok) throw new Error(String(response.status));
      const html = await response.text();
      if (text === asked) show(html);
    } catch (error) {
      if (error.name !== "AbortError") {
        if (text === asked) fail();
        asked = null;
      }
    } finally {
      clearTimeout(late);
      if (text === asked || asked === null) dialog.classList.remove("busy");
    }
  };

  const ask = () => {
    const text = input.value.trim();
    if (text === asked) return;
    asked = text;
    moved = false;
    answer = load(text);
  };

  // -- doing it ---------------------------------------------------------------------------------

  const run = (option, elsewhere) => {
    if (!option) return;
    if (option.dataset.run === "shortcuts") {
      dialog.close();
      document.dispatchEvent(new CustomEvent("site:shortcuts"));
    } else if (elsewhere) {
      window.open(option.href, "_blank", "noopener");
    } else {
      option.click();
    }
  };

  const keydown = async (event) => {
    if (event.isComposing) return;
    const mod = apple ? event.metaKey : event.ctrlKey;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      step(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter") {
      event.preventDefault();
      // What was typed last counts, not what is listed still.
      ask();
      await answer;
      if (dialog.open) run(chosen(), mod);
    } else if (mod && event.key.toLowerCase() === "k") {
      event.preventDefault();
      dialog.close();
    }
  };

  const build = () => {
    input = make("input", {
      type: "text", role: "combobox", class: "palette-input", name: "q", maxlength: "200",
      autocomplete: "off", autocapitalize: "off", spellcheck: "false", enterkeyhint: "go",
      "aria-label": labels.title, "aria-controls": "site-palette-list", "aria-expanded": "false",
      "aria-autocomplete": "list", placeholder: labels.placeholder,
    });
    list = make("div", { id: "site-palette-list", class: "palette-list", role: "listbox", "aria-label": labels.title });
    none = make("p", { class: "palette-none", hidden: "" });
    told = make("p", { class: "palette-told", role: "status" });
    const close = make("button", { class: "palette-close", "aria-label": labels.close }, make("kbd", {}, "Esc"));
    const head = make("form", { method: "dialog", class: "palette-head" }, input, close);
    const foot = make("p", { class: "palette-foot", "aria-hidden": "true" });
    for (const [keys, text] of [["↑ ↓", labels.choose], ["↵", labels.open], [apple ? "⌘ ↵" : "Ctrl ↵", labels.tab]]) {
      foot.append(make("span", {}, make("kbd", {}, keys), ` ${text}`));
    }
    dialog = make("dialog", { class: "palette", "aria-label": labels.title }, head, list, none, told, foot);
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
    // Where nothing had the focus before, the field would keep it a while. The event comes late: by
    // then somebody may have opened the palette again.
    dialog.addEventListener("close", () => { if (!dialog.open) input.blur(); });
    input.addEventListener("keydown", keydown);
    let due;
    input.addEventListener("input", () => {
      clearTimeout(due);
      due = setTimeout(ask, 60);
    });
    list.addEventListener("pointermove", (event) => {
      const option = event.target.closest("[role=option]");
      if (option && option !== chosen()) choose(option, false);
    });
    // The field keeps the focus.
    list.addEventListener("mousedown", (event) => event.preventDefault());
    list.addEventListener("click", (event) => {
      const option = event.target.closest("[data-run]");
      if (!option) return;
      event.preventDefault();
      run(option);
    });
    document.body.append(dialog);
  };

  const open = () => {
    if (!dialog) build();
    if (dialog.open) return;
    dialog.showModal();
    input.focus();
    input.select();
    ask();
  };

  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    const menu = link.closest("details");
    if (menu?.open) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
    open();
  });
})();
