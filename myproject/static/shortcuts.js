// Keys: what stands on this screen with `data-shortcut`, and the list of it behind "?".
//
//   <a href="…" data-shortcut="e">Edit</a>
//
// The key clicks the element, or moves to it where one types or opens something. A key is a single
// character, or "mod+k": Ctrl+K, on Apple's keyboards Cmd+K. What the list calls it is the text of
// `data-shortcut-label`, else the element's own name. More attributes, without a value:
// `data-shortcut-listed` for what a script of its own does, so that it is only listed, and
// `data-shortcut-everywhere` for what is the same on every screen.
//
// Single characters do nothing while somebody types, nor for who has switched them off (WCAG
// 2.1.4). While a dialog is open only what is in it counts. Without this file nothing is lost but
// the keys.
(() => {
  "use strict";
  const labels = document.currentScript.dataset;
  const single = labels.single === "on";
  const apple = /Mac|iPhone|iPad/.test(navigator.platform);

  // -- what there is ----------------------------------------------------------------------------

  const scope = () => [...document.querySelectorAll("dialog:modal")].at(-1) ?? document;

  const FIELDS = "textarea, select, input:not([type=checkbox], [type=radio], [type=button], [type=submit], [type=reset])";

  // A link in a menu that is closed may be followed; a field that is not shown cannot be typed into.
  const isOff = (element) =>
    element.disabled || element.getAttribute("aria-disabled") === "true" || element.closest("[hidden], [inert]") ||
    (element.matches(FIELDS) && element.getClientRects().length === 0);

  const usable = (key) => single || key.startsWith("mod+");

  const bound = () =>
    [...scope().querySelectorAll("[data-shortcut]")].filter(
      (element) => element.dataset.shortcut && usable(element.dataset.shortcut) && !isOff(element));

  const nameOf = (element) => {
    const name = element.dataset.shortcutLabel || element.getAttribute("aria-label") ||
      element.labels?.[0]?.textContent || element.textContent || element.title;
    return name.replace(/\s+/g, " ").trim();
  };

  // Screen readers tell the key together with the element.
  const announce = () => {
    for (const element of document.querySelectorAll("[data-shortcut]:not([aria-keyshortcuts])")) {
      const key = element.dataset.shortcut;
      if (!key || !usable(key)) continue;
      element.setAttribute("aria-keyshortcuts", key.replace("mod+", apple ? "Meta+" : "Control+"));
    }
  };

  // -- which key --------------------------------------------------------------------------------

  const isTyping = (event) => {
    const element = event.composedPath()[0];
    if (!(element instanceof Element)) return false;
    return element.isContentEditable || element.closest(
      `${FIELDS}, .cm-editor, [role=textbox], [role=searchbox], [role=combobox]`) !== null;
  };

  const keyOf = (event) => {
    // AltGr makes characters, and some systems call it Ctrl+Alt.
    const types = event.getModifierState("AltGraph");
    let key = event.key;
    if (key.length !== 1) return "";
    // Keyboards of other scripts: the letter that is printed beside it. And Caps Lock is no Shift.
    if (!/^[\x21-\x7e]$/.test(key) && event.code.startsWith("Key")) key = event.code.slice(3).toLowerCase();
    if (/^[A-Z]$/.test(key) && !event.shiftKey) key = key.toLowerCase();
    if (types) return key;
    if (event.altKey) return "";
    const mod = apple ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey;
    if (mod) return event.shiftKey ? `mod+shift+${key.toLowerCase()}` : `mod+${key.toLowerCase()}`;
    return event.ctrlKey || event.metaKey ? "" : key;
  };

  const act = (element) => {
    if (element.matches(FIELDS) || element.isContentEditable) {
      element.focus();
      element.select?.();
      return;
    }
    // What opens a menu is where one goes on from.
    if (element.matches("summary, [aria-haspopup]")) element.focus();
    element.click();
  };

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.repeat) return;
    const key = keyOf(event);
    if (!key || !usable(key)) return;
    if (!key.startsWith("mod+") && isTyping(event)) return;
    if (key === "?") {
      event.preventDefault();
      toggle();
      return;
    }
    const element = bound().find((one) => one.dataset.shortcut === key && !("shortcutListed" in one.dataset));
    if (!element) return;
    event.preventDefault();
    act(element);
  });

  // -- the list of them -------------------------------------------------------------------------

  const make = (name, text = "", attributes = {}) => {
    const element = document.createElement(name);
    element.textContent = text;
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };

  const keys = (key) => {
    const parts = key.split("+");
    // The key "+" itself.
    const words = key.endsWith("+") ? [...parts.slice(0, -2), "+"] : parts;
    const shown = { mod: apple ? "⌘" : labels.ctrl, shift: apple ? "⇧" : labels.shift };
    return words.map((word) => make("kbd", shown[word] ?? (words.length > 1 ? word.toUpperCase() : word)));
  };

  const section = (title, rows) => {
    const box = make("section");
    box.append(make("h3", title));
    const list = make("dl");
    for (const [key, name] of rows) {
      const row = make("div");
      const term = make("dt");
      term.append(...keys(key));
      row.append(term, make("dd", name));
      list.append(row);
    }
    box.append(list);
    return box;
  };

  let dialog;
  const build = () => {
    dialog = make("dialog", "", { class: "keys", "aria-labelledby": "site-keys-title" });
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
    document.body.append(dialog);
  };

  const fill = () => {
    const head = make("form", "", { method: "dialog", class: "keys-head" });
    head.append(make("h2", labels.title, { id: "site-keys-title" }), make("button", labels.close, { class: "keys-close" }));
    const body = make("div", "", { class: "keys-body" });
    const here = [], everywhere = single ? [["?", labels.help]] : [];
    const seen = new Set();
    for (const element of bound()) {
      const key = element.dataset.shortcut;
      if (seen.has(key)) continue;
      seen.add(key);
      ("shortcutEverywhere" in element.dataset ? everywhere : here).push([key, nameOf(element)]);
    }
    if (here.length) body.append(section(labels.here, here));
    if (everywhere.length) body.append(section(labels.everywhere, everywhere));
    const foot = make("p", single ? "" : `${labels.off} `, { class: "keys-foot" });
    foot.append(make("a", labels.change, { href: labels.preferences }));
    dialog.replaceChildren(head, body, foot);
  };

  const toggle = () => {
    if (!dialog) build();
    if (dialog.open) {
      dialog.close();
      return;
    }
    fill();
    dialog.showModal();
  };

  // Those who switched single keys off get there by the menu and the palette.
  for (const button of document.querySelectorAll("[data-shortcuts-list]")) {
    button.closest("[hidden]")?.removeAttribute("hidden");
    button.addEventListener("click", () => {
      const menu = button.closest("details");
      if (menu) {
        menu.open = false;
        menu.querySelector("summary").focus();
      }
      toggle();
    });
  }
  document.addEventListener("site:shortcuts", toggle);
  document.addEventListener("htmx:load", announce);
  announce();
})();
