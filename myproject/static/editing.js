// Forms in which people write: what is typed is kept on the site, nobody leaves by mistake, Ctrl or
// Cmd and S saves, and names are made from titles and checked. Every form works without this file.
(() => {
  "use strict";

  // -- what is typed is not lost ----------------------------------------------------------------------

  // Milliseconds after the last keypress, from the first one on, and after something went wrong.
  const DELAY = 3000;
  const AT_LAST = 15000;
  const RETRY = 10000;
  // Bytes that a browser sends on for a page that is gone.
  const PARTING = 60000;

  // What a form sends, without files; the token is nobody's work.
  function texts(form) {
    return [...new FormData(form)].filter(([name, value]) => typeof value === "string" && name !== "csrf_token");
  }

  function watch(form) {
    const words = form.dataset.words ? JSON.parse(form.dataset.words) : {};
    const status = form.querySelector("[data-writing-status]");
    const url = form.dataset.autosaveUrl;
    const snapshot = () => JSON.stringify(texts(form));
    // What the site has; nothing of a form that came back.
    let kept = form.hasAttribute("data-unsaved") ? "" : snapshot();
    let dirty = !kept;
    let since = 0;
    let timer = 0;
    let pause = DELAY;
    let running = null;
    let failure = "";
    let leaving = false;

    function say(text, state) {
      if (!status || (status.textContent === text && status.dataset.state === state)) return;
      status.textContent = text;
      status.dataset.state = state;
    }

    function schedule(delay = pause) {
      if (!url) return;
      clearTimeout(timer);
      since ||= Date.now();
      // Whoever types on and on is not waited for.
      timer = setTimeout(keep, Math.max(0, Math.min(delay, since + Math.max(AT_LAST, pause) - Date.now())));
    }

    function body() {
      const data = new FormData();
      data.set("csrf_token", form.elements.csrf_token.value);
      for (const [name, value] of texts(form)) data.append(name, value);
      return data;
    }

    async function keep({ parting = false } = {}) {
      clearTimeout(timer);
      if (!url || running || leaving || !dirty) return;
      const now = snapshot();
      if (now === kept) { dirty = false; since = 0; return; }
      const started = performance.now();
      running = new AbortController();
      let again = 0;
      try {
        const response = await fetch(url, {
          method: "POST", body: body(), headers: { "X-Requested-With": "fetch" }, signal: running.signal, keepalive: parting && now.length < PARTING,
        });
        const answer = await json(response);
        if (response.ok) {
          kept = now;
          failure = "";
          say(answer.warning ?? answer.message, answer.warning ? "warning" : "kept");
        } else {
          failure = { 400: words.expired, 403: words.signedOut }[response.status] ?? answer.message ?? words.failed;
          // What was refused once is refused again, until it is something else.
          again = response.status >= 500 ? RETRY : 0;
        }
        // What takes long to send is sent less often.
        pause = Math.max(DELAY, (performance.now() - started) * 5);
      } catch {
        if (leaving) return;
        failure = words.offline;
        again = RETRY;
      } finally {
        running = null;
      }
      if (failure) say(failure, "problem");
      since = 0;
      dirty = snapshot() !== kept;
      if (again) schedule(again);
      else if (dirty && snapshot() !== now) schedule();
    }

    async function json(response) {
      const isJson = response.headers.get("Content-Type")?.startsWith("application/json");
      return isJson ? response.json() : {};
    }

    function noticed() {
      if (leaving) return;
      dirty = true;
      if (!failure) say(words.changed ?? "", "changed");
      schedule();
    }

    // Save and write on, where one is: nothing moves, and nothing is lost if the site says no, since
    // the form is then sent as any other.
    async function saveInPlace(button) {
      running?.abort();
      clearTimeout(timer);
      leaving = true;
      say(words.saving, "saving");
      const now = snapshot();
      const data = new FormData(form, button);
      try {
        const response = await fetch(form.action, { method: "POST", body: data, headers: { "X-Requested-With": "fetch" }, redirect: "manual" });
        const answer = response.ok ? await json(response) : {};
        if (!("base" in answer)) throw new Error("refused");
        form.elements["form-base"].value = answer.base;
        const why = form.elements["form-comment"];
        if (why && texts(form).some(([name, value]) => name === "form-comment" && value === data.get("form-comment"))) why.value = "";
        const last = document.querySelector("[data-last-saved] time");
        if (last && answer.saved) last.textContent = answer.saved;
        document.querySelector(".restored")?.remove();
        document.querySelector("[data-error-summary]")?.remove();
        leaving = false;
        failure = "";
        since = 0;
        // What was typed meanwhile is not saved.
        const written = JSON.stringify(JSON.parse(now).filter(([name]) => !name.startsWith("form-")));
        const held = JSON.stringify(texts(form).filter(([name]) => !name.startsWith("form-")));
        kept = written === held ? snapshot() : "";
        dirty = !kept;
        say(answer.message, "kept");
        if (dirty) schedule();
      } catch {
        form.requestSubmit(button);
      }
    }

    form.addEventListener("input", noticed);
    form.addEventListener("change", noticed);
    if (dirty) schedule();

    document.addEventListener("visibilitychange", () => {
      // A page that is put aside on a phone may never come back.
      if (document.visibilityState === "hidden") keep({ parting: true });
    });
    addEventListener("online", () => { if (failure) keep(); });
    addEventListener("beforeunload", (event) => {
      if (!leaving && dirty && snapshot() !== kept) event.preventDefault();
    });
    // The way back shows the page as it was left, and so it is watched again.
    addEventListener("pageshow", (event) => { if (event.persisted) leaving = false; });

    form.addEventListener("submit", (event) => {
      const most = Number(form.dataset.maxSize);
      if (most && size(form) > most) {
        event.preventDefault();
        leaving = false;
        say(words.large, "problem");
        return;
      }
      const button = event.submitter;
      if ("savesInPlace" in form.dataset && button?.hasAttribute("data-save") && !leaving) {
        event.preventDefault();
        saveInPlace(button);
        return;
      }
      leaving = true;
      running?.abort();
      clearTimeout(timer);
      say(words.saving ?? "", "saving");
    });
  }

  // About as many bytes as a form has when it is sent.
  function size(form) {
    let bytes = 0;
    for (const [name, value] of new FormData(form)) {
      bytes += 150 + name.length + (typeof value === "string" ? new Blob([value]).size : value.size);
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
