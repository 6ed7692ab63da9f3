// Makes an editor of each textarea with `data-markdown`: CodeMirror with a toolbar, a preview that
// the server renders, completion of pages, and pasting from Word and the like.
//
// The textarea stays what the form sends: it has the text at any time, `input` is sent to it as if
// somebody typed there, and what others set in it is taken over when they send `input`. Screens say
//   data-preview-url    on or around it: where the preview is made; without it there is none
//   data-plain-editor   around it: this person wants the plain textarea
//   data-save           on the button that Ctrl+S presses, where that is not the form's first one
(() => {
  "use strict";

  const {
    Autolink, EditorState, EditorView, Prec, Strikethrough, Table, TaskList, autocompletion,
    defaultKeymap, drawSelection, dropCursor, highlightSpecialChars, history, historyKeymap,
    indentLess, indentMore, keymap, markdown, placeholder, redo, redoDepth, search,
    searchKeymap, syntaxHighlighting, tagHighlighter, tags, undo, undoDepth,
  } = CodeMirror;
  const { around, indentInList, makeCommands } = markdownCommands;
  const {
    brokenLinks, brokenMarks, completePages, setTargets, targetTooltip, targets,
  } = markdownLinks;
  const {
    nonce,
    dataset: { preview: previewFirst },
  } = document.currentScript;
  const onMac = /Mac|iP/.test(navigator.platform);

  // Characters from which on a text is long.
  const LONG = 100_000;

  // -- small things -------------------------------------------------------------------------------

  const element = (name, attributes = {}, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };

  // What is switched here holds as long as the window; what is to stay is among the preferences.
  const remembered = (key, otherwise) => {
    // A browser may refuse to remember anything.
    try {
      return sessionStorage.getItem(key) ?? otherwise;
    } catch {
      return otherwise;
    }
  };
  const remember = (key, value) => {
    try {
      sessionStorage.setItem(key, value);
    } catch {
      /* Then it is forgotten. */
    }
  };

  const icon = (path) => {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
    line.setAttribute("d", path);
    svg.append(line);
    return svg;
  };

  const ICONS = {
    bold: "M7 5h6a3.5 3.5 0 0 1 0 7H7zM7 12h7a3.5 3.5 0 0 1 0 7H7z",
    italic: "M10 5h8M6 19h8M14.5 5l-5 14",
    heading: "M6 5v14M18 5v14M6 12h12",
    link: "M10 14a4 4 0 0 0 5.7 0l3.2-3.2a4 4 0 0 0-5.7-5.7L12 6.3M14 10a4 4 0 0 0-5.7 0l-3.2 3.2a4 4 0 0 0 5.7 5.7L12 17.7",
    list: "M9 6h11M9 12h11M9 18h11M4.5 6h.01M4.5 12h.01M4.5 18h.01",
    ordered:
      "M10 6h10M10 12h10M10 18h10M4 4.5l1.5-.5v5M3.8 14.8c.3-1.3 2.7-1.3 2.7.2 0 1.3-2.7 2.2-2.7 4h2.9",
    quote: "M5 5v14M9.5 7H20M9.5 12H20M9.5 17H16",
    code: "M8.5 7l-5 5 5 5M15.5 7l5 5-5 5",
    table: "M4 5h16v14H4zM4 10h16M4 14.5h16M10 5v14",
    undo: "M8.5 5L4 9.5 8.5 14M4 9.5h9.5a5.5 5.5 0 0 1 0 11H9",
    redo: "M15.5 5L20 9.5 15.5 14M20 9.5h-9.5a5.5 5.5 0 0 0 0 11H15",
    preview:
      "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 9.2a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 0 1 0-5.6z",
    full: "M9 4H4v5M15 4h5v5M9 20H4v-5M15 20h5v-5",
  };

  const colours = tagHighlighter([
    ...[1, 2, 3, 4, 5, 6].map((level) => ({
      tag: tags[`heading${level}`],
      class: `tok-heading tok-h${level}`,
    })),
    { tag: tags.heading, class: "tok-strong" },
    { tag: tags.strong, class: "tok-strong" },
    { tag: tags.emphasis, class: "tok-emphasis" },
    { tag: tags.strikethrough, class: "tok-struck" },
    { tag: tags.link, class: "tok-link" },
    { tag: [tags.url, tags.labelName, tags.string], class: "tok-url" },
    { tag: tags.monospace, class: "tok-code" },
    { tag: tags.quote, class: "tok-quote" },
    { tag: [tags.processingInstruction, tags.contentSeparator, tags.comment], class: "tok-mark" },
    {
      tag: [tags.atom, tags.escape, tags.character, tags.angleBracket, tags.tagName],
      class: "tok-special",
    },
  ]);

  // -- one editor ---------------------------------------------------------------------------------

  class Editor {
    constructor(textarea) {
      this.textarea = textarea;
      this.form = textarea.form;
      this.words = JSON.parse(textarea.dataset.markdown);
      this.previewUrl = textarea.closest("[data-preview-url]")?.dataset.previewUrl ?? "";
      this.commands = makeCommands(this.words);
      this.rendered = null;
      this.pause = 300;
      // What the textarea has from the editor.
      this.given = textarea.value;
      this.build();
      this.listen();
      if (this.previewUrl)
        this.showPreview(remembered("editor-preview", previewFirst ?? "on") === "on");
      this.refresh();
    }

    // -- what is on the screen

    build() {
      const { textarea, words } = this;
      const label = textarea.labels?.[0];
      const name = label?.textContent.trim() ?? textarea.name;
      this.root = element("div", { class: "md-editor" });
      textarea.before(this.root);
      this.view = new EditorView({
        state: this.state(name),
        parent: element("div", { class: "md-source" }),
      });
      this.preview = element("div", {
        class: "md-preview",
        tabindex: "0",
        role: "region",
        "aria-label": `${words.preview}: ${name}`,
        hidden: "",
      });
      this.page = element("div", { class: "prose", dir: "auto" });
      this.preview.append(this.page);
      this.count = element("span", { class: "md-count" });
      this.broken = element("button", { type: "button", class: "md-broken", hidden: "" });
      this.message = element("span", { class: "md-message", role: "status" });
      const keys = element("span", { class: "md-keys", id: `${textarea.id}-keys` }, words.keys);
      const status = element(
        "div",
        { class: "md-status" },
        keys,
        this.message,
        this.broken,
        this.count,
      );
      const panes = element(
        "div",
        { class: "md-panes" },
        this.view.dom.parentElement,
        this.preview,
      );
      this.root.append(textarea, this.toolbar(), panes, status);
      // It stays where labels, error messages and the browser's own complaints lead to.
      textarea.tabIndex = -1;
      textarea.setAttribute("aria-hidden", "true");
      textarea.classList.add("md-hidden");
      // Chromium finds the direction of all of a long text anew at each change, which takes seconds.
      textarea.removeAttribute("dir");
      if (textarea.classList.contains("is-invalid")) this.root.classList.add("is-invalid");
      if (textarea.autofocus || document.activeElement === textarea) this.view.focus();
    }

    state(name) {
      const { textarea, words } = this;
      const described = [textarea.getAttribute("aria-describedby"), `${textarea.id}-keys`]
        .filter(Boolean)
        .join(" ");
      const attributes = {
        "aria-label": name,
        "aria-describedby": described,
        spellcheck: "true",
        autocorrect: "on",
        autocapitalize: "sentences",
        ...(textarea.getAttribute("aria-invalid") ? { "aria-invalid": "true" } : {}),
        ...(textarea.required ? { "aria-required": "true" } : {}),
      };
      const key = (keys, run) => ({ key: keys, run, preventDefault: true, stopPropagation: true });
      const { commands } = this;
      return EditorState.create({
        doc: textarea.value,
        extensions: [
          EditorView.cspNonce.of(nonce),
          EditorView.contentAttributes.of(attributes),
          EditorView.lineWrapping,
          EditorView.perLineTextDirection.of(true),
          EditorState.phrases.of(words.phrases),
          Prec.high(
            keymap.of([
              key("Mod-b", commands.bold),
              key("Mod-i", commands.italic),
              key("Mod-k", commands.link),
              key("Mod-e", commands.code),
              key("Mod-Shift-7", commands.ordered),
              key("Mod-Shift-8", commands.list),
              key("Mod-Shift-9", commands.quote),
              key("Mod-s", () => this.submit()),
              { key: "Tab", run: indentInList(indentMore), shift: indentInList(indentLess) },
            ]),
          ),
          markdown({ extensions: [Autolink, Strikethrough, Table, TaskList] }),
          keymap.of([...defaultKeymap, ...historyKeymap, ...searchKeymap]),
          history(),
          search({ top: true }),
          drawSelection(),
          dropCursor(),
          highlightSpecialChars(),
          syntaxHighlighting(colours),
          placeholder(words.placeholder),
          autocompletion({
            override: [completePages(textarea.dataset.pagesUrl, words)],
            icons: false,
            activateOnTypingDelay: 150,
          }),
          targets,
          brokenMarks,
          targetTooltip(words.brokenLink),
          Prec.high(
            EditorView.domEventHandlers({
              paste: (event) => this.paste(event),
              blur: () => {
                this.mirror();
                this.tell("change");
              },
            }),
          ),
          EditorView.updateListener.of((update) => this.updated(update)),
        ],
      });
    }

    // One stop for Tab; the arrows go from button to button.
    toolbar() {
      const keys = {
        bold: "B",
        italic: "I",
        link: "K",
        code: "E",
        ordered: "Shift+7",
        list: "Shift+8",
        quote: "Shift+9",
        undo: "Z",
        redo: onMac ? "Shift+Z" : "Y",
      };
      const groups = [
        ["bold", "italic", "code", "link"],
        ["heading", "list", "ordered", "quote", "table"],
        ["undo", "redo"],
      ];
      const { commands } = this;
      const bar = element("div", {
        class: "md-toolbar",
        role: "toolbar",
        "aria-label": this.words.toolbar,
      });
      this.buttons = {};
      const add = (group, name, run) => {
        const shown =
          keys[name] && (onMac ? `⌘${keys[name].replace("Shift+", "⇧")}` : `Ctrl+${keys[name]}`);
        const button = element(
          "button",
          {
            type: "button",
            class: "md-button",
            "data-command": name,
            "aria-label": this.words[name],
            title: shown ? `${this.words[name]} (${shown})` : this.words[name],
            tabindex: "-1",
          },
          icon(ICONS[name]),
        );
        if (keys[name]) {
          button.setAttribute("aria-keyshortcuts", `${onMac ? "Meta" : "Control"}+${keys[name]}`);
          // For the list of keys behind "?"; CodeMirror does what they do.
          button.dataset.shortcut = `mod+${keys[name].toLowerCase()}`;
          button.dataset.shortcutListed = "";
        }
        // The editor keeps the focus of whoever clicks.
        button.addEventListener("mousedown", (event) => event.preventDefault());
        button.addEventListener("click", run);
        this.buttons[name] = button;
        group.append(button);
      };
      for (const names of groups) {
        const group = element("div", { class: "md-group" });
        for (const name of names) {
          add(group, name, (event) => {
            if (event.currentTarget.getAttribute("aria-disabled") === "true") return;
            commands[name](this.view);
            // By keyboard too, somebody who has made a link or a table wants to fill it.
            if (event.detail || name === "link" || name === "table") this.view.focus();
          });
        }
        bar.append(group);
      }
      const views = element("div", { class: "md-group md-views" });
      if (this.previewUrl) add(views, "preview", () => this.showPreview(this.preview.hidden, true));
      add(views, "full", (event) => {
        this.fill(!this.root.classList.contains("md-full"));
        if (event.detail) this.view.focus();
      });
      bar.append(views);
      for (const name of ["preview", "full"])
        this.buttons[name]?.setAttribute("aria-pressed", "false");
      this.rove(bar);
      return bar;
    }

    rove(bar) {
      const buttons = [...bar.querySelectorAll("button")];
      buttons[0].tabIndex = 0;
      const go = (to) => {
        for (const button of buttons) button.tabIndex = button === to ? 0 : -1;
        to.focus();
      };
      bar.addEventListener("focusin", (event) => {
        for (const button of buttons) button.tabIndex = button === event.target ? 0 : -1;
      });
      bar.addEventListener("keydown", (event) => {
        const here = buttons.indexOf(document.activeElement);
        const forward = getComputedStyle(bar).direction === "rtl" ? "ArrowLeft" : "ArrowRight";
        const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
        if (step) go(buttons.at((here + (event.key === forward ? 1 : -1)) % buttons.length));
        else if (event.key === "Home") go(buttons[0]);
        else if (event.key === "End") go(buttons.at(-1));
        else if (event.key === "Escape" && this.root.classList.contains("md-full"))
          this.fill(false);
        else return;
        event.preventDefault();
      });
    }

    // -- the textarea and the form around it

    listen() {
      const { textarea, form } = this;
      textarea.addEventListener("focus", () => this.view.focus());
      for (const kind of ["input", "change"])
        textarea.addEventListener(kind, () => {
          if (!this.telling) this.takeOver();
        });
      // What a browser puts back into forms, it puts there without a word.
      addEventListener("pageshow", () => this.takeOver());
      form?.addEventListener("submit", () => this.mirror(), true);
      form?.addEventListener("formdata", ({ formData }) => formData.set(textarea.name, this.text));
      addEventListener("pagehide", () => this.mirror());
      form?.addEventListener("reset", () => setTimeout(() => this.takeOver()));
      this.title = form?.elements.namedItem("title");
      this.title?.addEventListener?.("input", () => this.refresh());
      this.broken.addEventListener("click", () => this.goToBroken());
      this.view.scrollDOM.addEventListener("scroll", () => this.follow(), { passive: true });
      this.page.addEventListener("click", (event) => this.clicked(event));
    }

    get text() {
      return this.view.state.doc.toString();
    }

    // Takes over what somebody else has put into the textarea since the editor did.
    takeOver() {
      const { value } = this.textarea;
      if (value === this.given) return;
      this.given = value;
      this.view.dispatch({ changes: { from: 0, to: this.view.state.doc.length, insert: value } });
    }

    // Gives the textarea what the editor has.
    mirror() {
      clearTimeout(this.mirroring);
      const { text } = this;
      if (text === this.given) return;
      this.textarea.value = text;
      this.given = this.textarea.value;
      this.tell("input");
    }

    tell(kind) {
      this.telling = true;
      this.textarea.dispatchEvent(new Event(kind, { bubbles: true }));
      this.telling = false;
    }

    updated(update) {
      if (update.docChanged) {
        clearTimeout(this.mirroring);
        // Browsers take their time with a very long text, which must not be that of each key.
        if (update.state.doc.length < LONG) this.mirror();
        else this.mirroring = setTimeout(() => this.mirror(), 500);
        this.refresh();
      }
      if (this.buttons && (update.docChanged || update.selectionSet)) this.showState(update.state);
    }

    // Which marks hold where the cursor is.
    showState(state) {
      const names = {
        bold: ["StrongEmphasis"],
        italic: ["Emphasis"],
        code: ["InlineCode", "FencedCode"],
        link: ["Link"],
        list: ["BulletList"],
        ordered: ["OrderedList"],
        quote: ["Blockquote"],
        heading: [
          "ATXHeading1",
          "ATXHeading2",
          "ATXHeading3",
          "ATXHeading4",
          "ATXHeading5",
          "ATXHeading6",
        ],
      };
      for (const [name, nodes] of Object.entries(names)) {
        this.buttons[name].setAttribute(
          "aria-pressed",
          String(Boolean(around(state, state.selection.main, nodes))),
        );
      }
      this.buttons.undo.setAttribute("aria-disabled", String(!undoDepth(state)));
      this.buttons.redo.setAttribute("aria-disabled", String(!redoDepth(state)));
    }

    submit() {
      if (!this.form) return false;
      const buttons = [...this.form.elements].filter(
        (control) => control.type === "submit" && !control.disabled,
      );
      this.form.requestSubmit(this.form.querySelector("[data-save]:enabled") ?? buttons[0] ?? null);
      return true;
    }

    paste(event) {
      const { state } = this.view;
      const html = event.clipboardData?.getData("text/html") ?? "";
      const plain = event.clipboardData?.getData("text/plain") ?? "";
      // Editors of code describe their colours as HTML; an address is what it is.
      if (
        !html ||
        /vscode-|<meta name="?generator"? content="?(?:JetBrains)/i.test(html) ||
        /^\s*https?:\/\/\S+\s*$/.test(plain)
      )
        return false;
      if (around(state, state.selection.main, ["FencedCode", "CodeBlock", "InlineCode"]))
        return false;
      const text = globalThis.markdownFrom(html);
      if (!text || text === plain.trim()) return false;
      event.preventDefault();
      const { main } = state.selection;
      const line = state.doc.lineAt(main.from);
      // What is more than a line stands by itself.
      const block = text.includes("\n") && state.sliceDoc(line.from, main.from).trim();
      const insert = (block ? "\n\n" : "") + text;
      this.view.dispatch({
        changes: { from: main.from, to: main.to, insert },
        selection: { anchor: main.from + insert.length },
        userEvent: "input.paste",
        scrollIntoView: true,
      });
      this.say(this.words.pasted);
      return true;
    }

    // -- the preview

    showPreview(shown, asked = false) {
      this.preview.hidden = !shown;
      this.root.classList.toggle("md-split", shown);
      this.buttons.preview.setAttribute("aria-pressed", String(shown));
      this.view.requestMeasure();
      if (!asked) return;
      remember("editor-preview", shown ? "on" : "off");
      this.refresh(0);
    }

    // Fills the window; what lies behind cannot be reached then.
    fill(full) {
      this.root.classList.toggle("md-full", full);
      document.documentElement.classList.toggle("md-filled", full);
      this.buttons.full.setAttribute("aria-pressed", String(full));
      for (const other of this.behind ?? []) other.inert = false;
      this.behind = [];
      for (let place = this.root; full && place !== document.body; place = place.parentElement) {
        for (const other of place.parentElement.children) {
          if (other !== place && !other.inert && !/^(?:SCRIPT|STYLE|LINK)$/.test(other.tagName)) {
            other.inert = true;
            this.behind.push(other);
          }
        }
      }
      this.view.dispatch({ effects: EditorView.scrollIntoView(this.view.state.selection.main) });
    }

    refresh(pause = this.preview.hidden ? 1500 : this.pause) {
      clearTimeout(this.counting);
      this.counting = setTimeout(() => this.countWords(), 200);
      if (!this.previewUrl) return;
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.fetchPreview(), this.rendered === null ? 0 : pause);
    }

    countWords() {
      const words = this.text.match(/[\p{L}\p{N}][\p{L}\p{N}\p{M}'’_-]*/gu)?.length ?? 0;
      const { lang } = document.documentElement;
      this.count.textContent = `${this.words.words} ${words.toLocaleString(lang || undefined)}`;
    }

    async fetchPreview() {
      const body = this.text;
      const title = this.title?.value ?? "";
      const asked = `${title}\n${body}`;
      if (asked === this.rendered) return;
      this.aborter?.abort();
      this.aborter = new AbortController();
      const started = performance.now();
      try {
        const response = await fetch(this.previewUrl, {
          method: "POST",
          headers: {
            Accept: "application/json",
            "X-CSRF-Token": this.form?.elements.namedItem("csrf_token")?.value ?? "",
          },
          body: new URLSearchParams({ body, title }),
          signal: this.aborter.signal,
        });
        const isJson = response.headers.get("Content-Type")?.startsWith("application/json");
        if (!isJson) throw new Error(String(response.status));
        const answer = await response.json();
        this.rendered = asked;
        if (!response.ok) {
          this.say(answer.message ?? this.words.failed, true);
          return;
        }
        if (this.failed) this.say("");
        this.show(answer);
      } catch (error) {
        if (error.name === "AbortError") return;
        this.rendered ??= "";
        this.say(this.words.failed, true);
      }
      // Whoever writes a long text need not wait for each of its letters.
      this.pause = Math.min(10_000, Math.max(300, 1.5 * (performance.now() - started)));
    }

    show({ html, links, broken, base }) {
      const template = document.createElement("template");
      template.innerHTML = html;
      const place = new URL(base, location.href);
      for (const link of template.content.querySelectorAll("a[href]")) {
        const target = link.getAttribute("href");
        if (target.startsWith("#")) continue;
        try {
          link.href = new URL(target, place).href;
        } catch {
          /* As it is. */
        }
        // Nobody leaves the form by reading what is in it.
        link.target = "_blank";
        link.rel = "noopener noreferrer";
      }
      for (const link of template.content.querySelectorAll("a.broken-link"))
        link.title = this.words.brokenLink;
      for (const image of template.content.querySelectorAll("img[src]")) {
        try {
          image.src = new URL(image.getAttribute("src"), place).href;
        } catch {
          /* As it is. */
        }
      }
      const { scrollTop } = this.preview;
      if (html.trim()) this.page.replaceChildren(template.content);
      else this.page.replaceChildren(element("p", { class: "md-empty" }, this.words.empty));
      this.preview.scrollTop = scrollTop;
      if (this.preview.scrollTop !== scrollTop || this.atEnd()) this.follow();
      const known = new Map(Object.entries(links).map(([id, url]) => [Number(id), url]));
      for (const id of broken) known.set(id, null);
      this.view.dispatch({ effects: setTargets.of(known) });
      const count = brokenLinks(this.view.state).length;
      this.broken.hidden = !count;
      this.broken.textContent = `${this.words.broken} ${count}`;
    }

    // Somebody who writes at the end wants to see the end.
    atEnd() {
      const { scrollDOM } = this.view;
      return (
        scrollDOM.scrollHeight > scrollDOM.clientHeight &&
        scrollDOM.scrollTop + scrollDOM.clientHeight > scrollDOM.scrollHeight - 8
      );
    }

    // The preview goes along with the text; the text does not go along with the preview.
    follow() {
      if (this.preview.hidden || this.preview.matches(":hover, :focus-within")) return;
      const { scrollDOM } = this.view;
      const room = scrollDOM.scrollHeight - scrollDOM.clientHeight;
      if (room > 0)
        this.preview.scrollTop =
          (scrollDOM.scrollTop / room) * (this.preview.scrollHeight - this.preview.clientHeight);
    }

    clicked(event) {
      const target = event.target.closest("a[href^='#']")?.getAttribute("href").slice(1);
      if (target === undefined) return;
      event.preventDefault();
      let id = target;
      try {
        id = decodeURIComponent(target);
      } catch {
        /* Then it means itself. */
      }
      this.page.querySelector(`[id="${CSS.escape(id)}"]`)?.scrollIntoView({ block: "nearest" });
    }

    goToBroken() {
      const { state } = this.view;
      const links = brokenLinks(state);
      const next = links.find(({ from }) => from > state.selection.main.from) ?? links[0];
      if (!next) return;
      this.view.focus();
      this.view.dispatch({
        selection: { anchor: next.from, head: next.to },
        effects: EditorView.scrollIntoView(next.from, { y: "center" }),
      });
      this.say(this.words.brokenLink);
    }

    say(text, failed = false) {
      this.failed = failed;
      this.message.textContent = text;
      this.message.classList.toggle("md-failed", failed);
    }
  }

  // -- all of a page ------------------------------------------------------------------------------

  const made = new WeakSet();

  function enhance(root) {
    const found = root.matches?.("textarea[data-markdown]")
      ? [root]
      : (root.querySelectorAll?.("textarea[data-markdown]") ?? []);
    for (const textarea of found) {
      if (made.has(textarea) || textarea.closest("[data-plain-editor]")) continue;
      made.add(textarea);
      new Editor(textarea);
    }
  }

  enhance(document);
  // Forms that htmx has brought in.
  document.addEventListener("htmx:load", (event) => enhance(event.target));
})();
