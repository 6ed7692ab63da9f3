// The list of a page's contents: choosing across pages of it, and putting it in order by drag and by
// keyboard. Without this file forms and buttons do the same.
(() => {
  "use strict";

  const fill = (text, values) => text.replace(/\$\{(\w+)\}/g, (_, name) => values[name]);

  // What was chosen ---------------------------------------------------------------------------

  class Chosen {
    constructor(node) {
      this.key = `contents:${node}`;
      let kept = [];
      try { kept = JSON.parse(sessionStorage.getItem(this.key)) ?? []; } catch { /* nothing kept */ }
      this.ids = new Set(Array.isArray(kept) ? kept : []);
    }

    save() {
      try {
        if (this.ids.size) sessionStorage.setItem(this.key, JSON.stringify([...this.ids]));
        else sessionStorage.removeItem(this.key);
      } catch { /* it holds for this page at least */ }
    }

    // A list is done with once something was done with what was chosen from it.
    sent() { try { sessionStorage.setItem("contents:sent", this.key); } catch { /* then it stays */ } }

    isDone() {
      try {
        const sent = sessionStorage.getItem("contents:sent") === this.key;
        sessionStorage.removeItem("contents:sent");
        return sent && document.querySelector(".screen .alert-success") !== null;
      } catch { return false; }
    }
  }

  const setUpChoosing = (list, texts) => {
    const bar = list.querySelector(".bulk");
    if (!bar) return;
    const form = list.querySelector("form.chosen");
    const boxes = [...list.querySelectorAll(".listed tbody .check-cell input")];
    const all = list.querySelector("#site-all");
    const count = bar.querySelector(".bulk-count");
    const chosen = new Chosen(list.dataset.node);
    if (chosen.isDone()) chosen.ids.clear();
    for (const input of form.querySelectorAll("input[data-carried]")) {
      chosen.ids.add(input.value);
      input.remove();
    }
    for (const box of boxes) if (box.checked) chosen.ids.add(box.value);

    const show = () => {
      for (const box of boxes) {
        box.checked = chosen.ids.has(box.value);
        box.closest("tr").classList.toggle("is-chosen", box.checked);
      }
      const here = boxes.filter((box) => box.checked).length;
      if (all) {
        all.checked = here > 0 && here === boxes.length;
        all.indeterminate = here > 0 && here < boxes.length;
      }
      bar.hidden = chosen.ids.size === 0;
      const most = Number(texts.most);
      const text = chosen.ids.size > most ? texts.toomany : texts.chosen;
      count.textContent = fill(text, { n: chosen.ids.size, most });
      for (const button of bar.querySelectorAll("[data-bulk]")) button.disabled = chosen.ids.size > most;
      chosen.save();
    };

    let last = null;
    const choose = (box, on) => { if (on) chosen.ids.add(box.value); else chosen.ids.delete(box.value); };
    for (const box of boxes) {
      box.addEventListener("click", (event) => {
        const from = boxes.indexOf(last), to = boxes.indexOf(box);
        if (event.shiftKey && from >= 0) {
          for (const between of boxes.slice(Math.min(from, to), Math.max(from, to) + 1)) choose(between, box.checked);
        } else choose(box, box.checked);
        last = box;
        show();
      });
    }
    if (all) {
      all.hidden = false;
      all.addEventListener("change", () => {
        for (const box of boxes) choose(box, all.checked);
        show();
      });
    }
    form.addEventListener("submit", (event) => {
      const button = event.submitter;
      if (button?.hasAttribute("data-clear")) {
        event.preventDefault();
        chosen.ids.clear();
        show();
        return;
      }
      if (button?.hasAttribute("data-bulk")) chosen.sent();
      for (const input of form.querySelectorAll("input[data-added]")) input.remove();
      const here = new Set(boxes.map((box) => box.value));
      for (const id of chosen.ids) {
        if (here.has(id)) continue;
        const input = document.createElement("input");
        Object.assign(input, { type: "hidden", name: "ids", value: id });
        input.setAttribute("data-added", "");
        form.append(input);
      }
    });
    show();
  };

  // The order ---------------------------------------------------------------------------------

  const setUpOrder = (list, texts) => {
    const body = list.querySelector(".listed tbody");
    const grips = [...list.querySelectorAll(".grip")];
    if (!body || !grips.length) return;
    const form = list.querySelector("form.chosen");
    const live = list.querySelector(".announce");
    let lifted = null; // { row, grip, next: where it stood before, byKeys }
    let moving = false; // focus is lost while a row changes places

    const say = (text, more = {}) => { live.textContent = fill(text, more); };
    const titleOf = (row) => row.querySelector(".title-cell > :first-child").textContent.trim();
    const rows = () => [...body.rows];

    const lift = (grip, byKeys) => {
      const row = grip.closest("tr");
      lifted = { row, grip, next: row.nextElementSibling, byKeys };
      row.classList.add("is-lifted");
      if (byKeys) say(texts.lifted, { title: titleOf(row) });
    };
    const place = (before) => {
      if (before === lifted.row) return;
      moving = true;
      body.insertBefore(lifted.row, before);
      if (lifted.byKeys) {
        lifted.grip.focus();
        lifted.row.scrollIntoView({ block: "nearest" });
      }
      moving = false;
    };
    const letGo = () => {
      lifted.row.classList.remove("is-lifted");
      document.body.classList.remove("is-dragging");
      const was = lifted;
      lifted = null;
      return was;
    };
    const putBack = () => {
      place(lifted.next);
      const { row } = letGo();
      say(texts.left, { title: titleOf(row) });
    };
    const drop = () => {
      if (lifted.row.nextElementSibling === lifted.next) { putBack(); return; }
      send(letGo());
    };

    const send = async ({ row, byKeys }) => {
      const data = new URLSearchParams({
        csrf_token: form.elements.csrf_token.value,
        back: form.elements.back.value,
        node: row.dataset.id,
      });
      const before = row.nextElementSibling?.dataset.id ?? body.dataset.following;
      if (before) data.set("before", before);
      else data.set("direction", "bottom");
      list.classList.add("is-busy");
      let fresh = null;
      try {
        const answer = await fetch(list.dataset.reorder, { method: "POST", body: data });
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        fresh = page.querySelector(".screen:has(> .contents)");
      } catch { /* told below */ }
      list.classList.remove("is-busy");
      if (!fresh) { say(texts.failed); location.reload(); return; }
      const old = list.closest(".screen"), { scrollX: x, scrollY: y } = window;
      old.replaceWith(fresh);
      const now = setUp(fresh.querySelector(".contents"));
      scrollTo({ left: x, top: y, behavior: "instant" });
      const moved = now.querySelector(`tr[data-id="${row.dataset.id}"]`);
      if (!moved || fresh.querySelector(".alert-danger")) {
        fresh.querySelector(".alert")?.scrollIntoView({ block: "center" });
        return;
      }
      moved.classList.add("just-moved");
      if (byKeys) moved.querySelector(".grip").focus();
      const told = now.querySelector(".announce"), text = fill(texts.dropped, { title: titleOf(moved) });
      // Not at once: what is announced has to change after it is there.
      setTimeout(() => { told.textContent = text; }, 100);
    };

    const onKey = (event) => {
      const grip = event.currentTarget;
      if (event.key === " " || event.key === "Enter") {
        event.preventDefault();
        if (lifted) drop(); else lift(grip, true);
        return;
      }
      if (!lifted) return;
      if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); putBack(); return; }
      const all = rows(), at = all.indexOf(lifted.row);
      const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: all.length - 1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      if (to < 0 || to >= all.length || to === at) return;
      place(to < at ? all[to] : all[to].nextElementSibling);
      say(texts.moved, { title: titleOf(lifted.row), n: to + 1, count: all.length });
    };

    const onPointer = (event) => {
      if (event.button !== 0 || lifted) return;
      event.preventDefault();
      const grip = event.currentTarget;
      grip.focus({ preventScroll: true });
      grip.setPointerCapture(event.pointerId);
      lift(grip, false);
      document.body.classList.add("is-dragging");
      let y = event.clientY, frame = 0;
      const follow = () => {
        const others = rows().filter((row) => row !== lifted.row);
        const before = others.find((row) => {
          const box = row.getBoundingClientRect();
          return y < box.top + box.height / 2;
        });
        if (lifted.row.nextElementSibling !== (before ?? null)) place(before ?? null);
      };
      const scroll = () => {
        const edge = 96, speed = y < edge ? y - edge : Math.max(0, y - innerHeight + edge);
        if (lifted && speed) { scrollBy({ top: speed / 6, behavior: "instant" }); follow(); }
        frame = requestAnimationFrame(scroll);
      };
      const onMove = (move) => { y = move.clientY; follow(); };
      const end = (finish) => {
        cancelAnimationFrame(frame);
        removeEventListener("pointermove", onMove);
        removeEventListener("pointerup", onUp);
        removeEventListener("pointercancel", onCancel);
        removeEventListener("keydown", onEscape, true);
        if (lifted) finish();
      };
      const onUp = () => end(drop);
      const onCancel = () => end(putBack);
      const onEscape = (key) => { if (key.key === "Escape") { key.preventDefault(); end(putBack); } };
      // On the window: moving a row within the table takes the pointer from its handle.
      addEventListener("pointermove", onMove);
      addEventListener("pointerup", onUp);
      addEventListener("pointercancel", onCancel);
      addEventListener("keydown", onEscape, true);
      frame = requestAnimationFrame(scroll);
    };

    for (const grip of grips) {
      grip.hidden = false;
      grip.addEventListener("keydown", onKey);
      grip.addEventListener("pointerdown", onPointer);
      grip.addEventListener("blur", () => { if (lifted?.byKeys && !moving) putBack(); });
    }
  };

  // Menus of rows open upwards where there is no room below.
  const setUpMenus = (list) => {
    for (const menu of list.querySelectorAll(".row-menu")) {
      menu.addEventListener("toggle", () => {
        menu.classList.remove("is-high");
        if (!menu.open) return;
        const items = menu.querySelector("ul").getBoundingClientRect();
        const above = menu.getBoundingClientRect().top - items.height;
        menu.classList.toggle("is-high", items.bottom > innerHeight - 16 && above > 100);
      });
    }
  };

  function setUp(list) {
    const texts = list.dataset;
    setUpChoosing(list, texts);
    setUpOrder(list, texts);
    setUpMenus(list);
    return list;
  }

  const list = document.querySelector(".contents");
  if (list) setUp(list);
  // Back in the history, what was chosen may be another than this page remembers.
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
})();
