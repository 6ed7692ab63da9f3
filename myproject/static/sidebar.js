// The tree beside screens: opened branch by branch, walked with the arrow keys, searched. Without
// this file it is a list of links, in which the way to the page is open.
(() => {
  "use strict";
  const nav = document.querySelector("nav.outline");
  if (!nav) return;
  const texts = nav.dataset;
  const tree = nav.querySelector(".outline-tree");
  const said = nav.querySelector(".outline-said");
  const key = `outline:${texts.root}`;
  let serial = 0, typed = "", typing = 0;

  const remembered = () => {
    try { return new Set(JSON.parse(sessionStorage.getItem(key)) ?? []); } catch { return new Set(); }
  };
  const remember = (id, open) => {
    const ids = remembered();
    if (open) ids.add(id); else ids.delete(id);
    // The last ones: the rest were opened long ago.
    try { sessionStorage.setItem(key, JSON.stringify([...ids].slice(-40))); } catch { /* not kept */ }
  };

  const fetchPart = async (url) => {
    const answer = await fetch(url, { headers: { "HX-Request": "true" } });
    if (!answer.ok) throw new Error(answer.statusText);
    const part = document.createElement("template");
    part.innerHTML = await answer.text();
    return part.content;
  };

  // What each part is, for those who hear it. Links stay links.
  const linkOf = (item) => item.querySelector(":scope > a");
  const groupOf = (item) => item.querySelector(":scope > ul");
  const dress = (root) => {
    for (const item of root.querySelectorAll("li")) {
      item.setAttribute("role", "none");
      const link = linkOf(item), group = groupOf(item);
      link.setAttribute("role", "treeitem");
      link.tabIndex = -1;
      if (group) {
        group.setAttribute("role", "group");
        group.id ||= `site-branch-${++serial}`;
        link.setAttribute("aria-owns", group.id);
      }
      if (item.dataset.fetch) link.setAttribute("aria-expanded", String(Boolean(group) && !group.hidden));
    }
  };
  const visible = () => [...tree.querySelectorAll("a")].filter((link) => !link.closest("ul[hidden]"));
  const itemOf = (link) => link.closest("li");
  const enter = (link) => {
    for (const other of tree.querySelectorAll("a[tabindex='0']")) other.tabIndex = -1;
    link.tabIndex = 0;
  };
  const go = (link) => { if (link) { enter(link); link.focus(); } };
  const tell = (text) => { said.textContent = text; };

  const open = async (item) => {
    const link = linkOf(item);
    let group = groupOf(item);
    if (!group) {
      item.classList.add("is-busy");
      try {
        const part = await fetchPart(item.dataset.fetch);
        group = part.querySelector("ul");
      } catch { tell(texts.failed); return; } finally { item.classList.remove("is-busy"); }
      if (groupOf(item)) return;
      item.append(group);
      dress(group);
      group.setAttribute("role", "group");
      group.id ||= `site-branch-${++serial}`;
      link.setAttribute("aria-owns", group.id);
    }
    group.hidden = false;
    link.setAttribute("aria-expanded", "true");
    remember(item.dataset.id, true);
  };
  const close = (item) => {
    const group = groupOf(item), link = linkOf(item);
    if (group) {
      if (group.contains(document.activeElement)) go(link);
      else if (group.querySelector("a[tabindex='0']")) enter(link);
      group.hidden = true;
    }
    link.setAttribute("aria-expanded", "false");
    remember(item.dataset.id, false);
  };
  const isOpen = (item) => linkOf(item).getAttribute("aria-expanded") === "true";

  const more = async (link) => {
    const item = itemOf(link), focused = document.activeElement === link;
    item.classList.add("is-busy");
    let part;
    try { part = await fetchPart(link.href); } catch { item.classList.remove("is-busy"); tell(texts.failed); return; }
    const fresh = part.querySelector("ul");
    dress(fresh);
    const there = new Set([...item.parentElement.children].map((other) => other.dataset.id).filter(Boolean));
    const added = [...fresh.children].filter((other) => !there.has(other.dataset.id));
    // A page that goes on in one direction knows that there is more in the other, which is here.
    const other = link.dataset.more === "after" ? "before" : "after";
    const shown = added.filter((one) => linkOf(one).dataset.more !== other);
    item.replaceWith(...shown);
    const next = link.dataset.more === "after" ? shown[0] : shown.at(-1);
    if (next && (focused || link.tabIndex === 0)) { enter(linkOf(next)); if (focused) linkOf(next).focus(); }
  };

  tree.addEventListener("click", (event) => {
    const twist = event.target.closest(".twist");
    if (twist) {
      const item = twist.closest("li");
      if (isOpen(item)) close(item); else open(item);
      return;
    }
    const link = event.target.closest("a[data-more]");
    if (link && !event.ctrlKey && !event.metaKey) { event.preventDefault(); more(link); }
  });

  tree.addEventListener("keydown", (event) => {
    const link = event.target.closest("a");
    if (!link || event.ctrlKey || event.metaKey || event.altKey) return;
    const item = itemOf(link), links = visible(), at = links.indexOf(link);
    const rtl = getComputedStyle(tree).direction === "rtl";
    const inward = rtl ? "ArrowLeft" : "ArrowRight", outward = rtl ? "ArrowRight" : "ArrowLeft";
    const canOpen = Boolean(item.dataset.fetch);
    switch (event.key) {
      case "ArrowDown": go(links[at + 1]); break;
      case "ArrowUp": go(links[at - 1]); break;
      case "Home": go(links[0]); break;
      case "End": go(links.at(-1)); break;
      case inward:
        if (canOpen && !isOpen(item)) open(item);
        else if (canOpen) go(groupOf(item)?.querySelector("a"));
        break;
      case outward:
        if (canOpen && isOpen(item)) close(item);
        else { const above = item.parentElement.closest("li"); if (above) go(linkOf(above)); }
        break;
      case " ": link.click(); break;
      case "*":
        for (const sibling of item.parentElement.children) if (sibling.dataset.fetch && !isOpen(sibling)) open(sibling);
        break;
      default:
        if (event.key.length !== 1) return;
        clearTimeout(typing);
        typing = setTimeout(() => { typed = ""; }, 700);
        typed += event.key.toLowerCase();
        {
          const from = typed.length > 1 ? at : at + 1;
          const order = [...links.slice(from), ...links.slice(0, from)];
          go(order.find((one) => one.textContent.trim().toLowerCase().startsWith(typed)));
        }
    }
    event.preventDefault();
    // A letter in the tree is no shortcut of the page.
    event.stopPropagation();
  });
  tree.addEventListener("focusin", (event) => {
    const link = event.target.closest("a");
    if (link) enter(link);
  });

  // Looking for a page ------------------------------------------------------------------------

  const form = nav.querySelector(".outline-find"), input = form.elements.q;
  let results = null, asked = 0, wait = 0;
  const clear = () => { results?.remove(); results = null; tree.hidden = false; };
  const search = async () => {
    const text = input.value.trim(), mine = ++asked;
    if (!text) { clear(); tell(""); return; }
    let part;
    try { part = await fetchPart(`${form.action}?${new URLSearchParams({ q: text })}`); } catch { tell(texts.failed); return; }
    if (mine !== asked) return;
    const list = part.querySelector("ul"), count = list.children.length;
    clear();
    tree.hidden = true;
    results = list;
    if (!count) {
      results = document.createElement("p");
      results.className = "none";
      results.textContent = texts.none;
    }
    tree.after(results);
    tell(count ? texts.found.replace("${n}", count) : texts.none);
  };
  input.addEventListener("input", () => { clearTimeout(wait); wait = setTimeout(search, 150); });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const first = results?.querySelector("a");
    if (first) first.click(); else search();
  });
  nav.addEventListener("keydown", (event) => {
    const links = results ? [...results.querySelectorAll("a")] : [];
    const at = links.indexOf(document.activeElement);
    if (event.key === "Escape" && input.value && (event.target === input || at >= 0)) {
      event.preventDefault();
      event.stopPropagation();
      input.value = "";
      clear();
      input.focus();
    } else if (event.key === "ArrowDown" && (event.target === input || at >= 0)) {
      event.preventDefault();
      if (results) links[at + 1]?.focus(); else if (event.target === input) go(tree.querySelector("a[tabindex='0']"));
    } else if (event.key === "ArrowUp" && at >= 0) {
      event.preventDefault();
      (links[at - 1] ?? input).focus();
    }
  });

  // As it was left ----------------------------------------------------------------------------

  tree.setAttribute("role", "tree");
  tree.setAttribute("aria-label", nav.getAttribute("aria-label"));
  dress(tree);
  const current = tree.querySelector("a[aria-current]") ?? tree.querySelector("a");
  enter(current);

  const reopen = async () => {
    let wanted = [...remembered()];
    // What lies within a branch that is opened again can be opened once that is there.
    for (let round = 0; wanted.length && round < 8; round += 1) {
      const here = wanted.filter((id) => {
        const item = tree.querySelector(`li[data-id="${CSS.escape(id)}"]`);
        return item?.dataset.fetch && !groupOf(item);
      });
      if (!here.length) return;
      // All at once: those within others come along.
      const part = await fetchPart(`${form.action}?open=${wanted.join(",")}`);
      const branches = new Map([...part.querySelectorAll("ul[data-for]")].map((ul) => [ul.dataset.for, ul]));
      for (let placed = true; placed;) {
        placed = false;
        for (const [id, ul] of branches) {
          const item = tree.querySelector(`li[data-id="${CSS.escape(id)}"]`);
          if (!item?.dataset.fetch || groupOf(item)) continue;
          branches.delete(id);
          item.append(ul);
          placed = true;
        }
      }
      dress(tree);
      enter(current);
      wanted = [];
    }
  };
  reopen().catch(() => { /* the branches stay closed */ });

  // In view, where the tree is longer than the window.
  const box = tree.getBoundingClientRect(), place = current.getBoundingClientRect();
  if (tree.scrollHeight > tree.clientHeight && (place.bottom > box.bottom || place.top < box.top)) {
    tree.scrollTop += place.top - box.top - tree.clientHeight / 2;
  }
})();
