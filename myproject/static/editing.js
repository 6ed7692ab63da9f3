// Forms in which people write: what is typed is kept on the site, nobody leaves by mistake, Ctrl or
// Cmd and S saves, and names are made from titles and checked. Every form works without this file.
(() => {
  "use strict";

  // -- what is typed is not lost ----------------------------------------------------------------------

  const DELAY = 3000;
  const RETRY = 10000;

  function watch(form) {
    const words = form.dataset.words ? JSON.parse(form.dataset.words) : {};
    const status = form.querySelector("[data-writing-status]");
    const url = form.dataset.autosaveUrl;
    let kept = snapshot(form);
    let changed = form.hasAttribute("data-unsaved");
    let leaving = false;
    let timer = 0;
    let running = null;
    let pause = DELAY;
    let failure = "";

    function snapshot() {
      const data = new FormData(form);
      data.delete("csrf_token");
      return JSON.stringify([...data].filter(([, value]) => typeof value === "string"));
    }

    function say(text, state = "") {
      if (!status || (status.textContent === text && status.dataset.state === state)) return;
      status.textContent = text;
      status.dataset.state = state;
    }

    function schedule(delay = pause) {
      if (!url) return;
      clearTimeout(timer);
      timer = setTimeout(keep, delay);
    }

    async function keep(options = {}) {
      clearTimeout(timer);
      if (running || leaving) return;
      const now = snapshot();
      if (now === kept && !changed) return;
      const body = new FormData(form);
      const started = performance.now();
      running = true;
      try {
        const response = await fetch(url, { method: "POST", body, headers: { "X-Requested-With": "fetch" }, ...options });
        const answer = response.headers.get("Content-Type")?.startsWith("application/json") ? await response.json() : {};
        if (response.ok) {
          kept = now;
          changed = false;
          failure = "";
          say(answer.warning ?? answer.message, answer.warning ? "warning" : "kept");
        } else {
          refused(response.status, answer.message);
        }
        // A text that takes long to send is sent less often.
        pause = Math.max(DELAY, (performance.now() - started) * 5);
      } catch {
        failure = words.offline;
        say(failure, "problem");
        pause = RETRY;
      } finally {
        running = null;
      }
      if (!leaving && snapshot() !== kept) schedule();
      else if (failure) schedule(RETRY);
    }

    function refused(code, message) {
      if (code === 403) failure = words.signedOut;
      else if (code === 400) failure = words.expired;
      else failure = message ?? words.failed;
      say(failure, "problem");
      pause = RETRY;
    }

    function noticed() {
      if (leaving || snapshot() === kept) return;
      changed = true;
      if (!failure) say(words.changed, "changed");
      schedule();
    }

    form.addEventListener("input", noticed);
    form.addEventListener("change", noticed);
    if (changed) schedule();

    document.addEventListener("visibilitychange", () => {
      // A page that is put aside on a phone may never come back.
      if (document.visibilityState === "hidden" && url && !leaving && snapshot() !== kept) {
        keep({ keepalive: snapshot().length < 60000 });
      }
    });
    addEventListener("online", () => { if (failure) keep(); });
    addEventListener("beforeunload", (event) => {
      if (!leaving && (changed || snapshot() !== kept)) event.preventDefault();
    });
    // The way back shows the page as it was, and so it is watched again.
    addEventListener("pageshow", () => { leaving = false; });

    form.addEventListener("submit", (event) => {
      const most = Number(form.dataset.maxSize);
      if (most && size(form) > most) {
        event.preventDefault();
        say(words.large, "problem");
        status?.scrollIntoView({ block: "nearest" });
        return;
      }
      leaving = true;
      clearTimeout(timer);
      say(words.saving, "saving");
    });
  }

  function size(form) {
    let bytes = 0;
    for (const [name, value] of new FormData(form)) {
      bytes += 120 + name.length + (typeof value === "string" ? new Blob([value]).size : value.size);
    }
    return bytes;
  }

  for (const form of document.querySelectorAll("form[data-writing]")) watch(form);

  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "s" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    const button = document.querySelector("form[data-writing] [data-save]");
    if (!button) return;
    event.preventDefault();
    button.form.requestSubmit(button);
  });

  // To write into the text that has both versions in it is to choose it.
  for (const text of document.querySelectorAll("[data-chooses]")) {
    text.addEventListener("input", () => { document.getElementById(text.dataset.chooses).checked = true; });
  }

  // A new page begins with its title.
  const first = document.querySelector("form[data-writing] [data-naming][data-title]");
  const title = first && document.getElementById(first.dataset.title);
  if (title && !title.value && !document.querySelector("[data-error-summary]")) title.focus();

  // -- names --------------------------------------------------------------------------------------------

  for (const box of document.querySelectorAll("[data-naming]")) {
    const input = box.querySelector("input");
    const text = box.querySelector("[data-naming-text]");
    const address = document.querySelector("[data-naming-address]");
    const title = box.dataset.title ? document.getElementById(box.dataset.title) : null;
    // Until somebody writes a name of their own, it follows the title.
    let follows = Boolean(title) && !input.value;
    let timer = 0;
    let asked = 0;

    async function check() {
      const mine = ++asked;
      const query = new URLSearchParams(follows ? { title: title.value } : { name: input.value });
      if (follows && !title.value.trim()) { show({}); return; }
      let answer;
      try {
        const response = await fetch(`${box.dataset.checkUrl}?${query}`);
        if (!response.ok) return;
        answer = await response.json();
      } catch { return; }
      if (mine !== asked) return;
      if (follows) {
        input.value = answer.name;
        input.dispatchEvent(new Event("change", { bubbles: true }));
      }
      show(answer);
    }

    function show({ ok, message = "", suggestion = "", address: path = "" }) {
      text.replaceChildren();
      input.classList.toggle("is-invalid", ok === false);
      if (ok === false) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
      if (address) address.textContent = path || "–";
      if (!message) return;
      const line = document.createElement("div");
      line.className = ok ? "form-text naming-free" : "invalid-feedback d-block";
      line.textContent = message;
      text.append(line);
      if (!suggestion) return;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "btn btn-sm btn-outline-secondary naming-use";
      button.textContent = `${box.dataset.use} ${suggestion}`;
      button.addEventListener("click", () => {
        input.value = suggestion;
        follows = false;
        input.dispatchEvent(new Event("input", { bubbles: true }));
        input.focus();
      });
      text.append(button);
    }

    const soon = () => { clearTimeout(timer); timer = setTimeout(check, 250); };
    input.addEventListener("input", () => { follows = Boolean(title) && !input.value; soon(); });
    title?.addEventListener("input", () => { if (follows) soon(); });
  }
})();
