// Links to pages in the Markdown editor: `markdownLinks`, for editor.js. Pages are found while their
// titles are typed, and the text says of each link where it leads, or that it leads nowhere.
(() => {
  "use strict";

  const {
    Decoration, StateEffect, StateField, ViewPlugin, ensureSyntaxTree, hoverTooltip, syntaxTree,
  } = CodeMirror;

  // -- completion ---------------------------------------------------------------------------------

  const inText = (title) =>
    title
      .replace(/[\\[\]`*<]/g, "\\$&")
      .replace(/&(?=#?\w+;)/g, "\\&")
      .replace(/(?<!\w)_|_(?!\w)/g, "\\_");
  const inAddress = (address) =>
    /[\s()<>]/.test(address) ? `<${address.replace(/[<>\n]/g, encodeURIComponent)}>` : address;
  const isAddress = (text) => /^(?:https?:\/\/[^\s/]|mailto:\S)/i.test(text);

  const decoded = (text) => {
    try {
      return decodeURI(text);
    } catch {
      return text;
    }
  };

  const completePages = (url, words) => async (context) => {
    const wiki = context.matchBefore(/\[\[[^\]\n]*/);
    const destination = wiki ? null : context.matchBefore(/\]\([^)\n<"]*/);
    const found = wiki ?? destination;
    const typed = found ? found.text.slice(2).trim() : "";
    if (!found || (!typed && !context.explicit) || /^(?:#|node:)/.test(typed)) return null;
    const put = (title, address) => (view, completion, from, to) => {
      const { doc } = view.state;
      // Brackets that somebody has closed already.
      const closed = wiki ? (/^\]{1,2}/.exec(doc.sliceString(to, to + 2))?.[0].length ?? 0) : 0;
      const end = destination && doc.sliceString(to, to + 1) !== ")" ? ")" : "";
      const insert = wiki
        ? `[${inText(title)}](${inAddress(address)})`
        : `](${inAddress(address)}${end}`;
      const after = from + insert.length + (destination && !end ? 1 : 0);
      view.dispatch({
        changes: { from, to: to + closed, insert },
        selection: { anchor: after },
        userEvent: "input.complete",
      });
    };
    const address = isAddress(typed)
      ? [{ label: typed, detail: words.linkTo, apply: put(typed, typed) }]
      : [];
    const options = [];
    // An address of this site is that of a page.
    const asked = typed.startsWith(`${location.origin}/`)
      ? decoded(typed.slice(location.origin.length))
      : address.length
        ? ""
        : typed;
    if (asked) {
      const aborter = new AbortController();
      context.addEventListener("abort", () => aborter.abort(), { onDocChange: true });
      try {
        const response = await fetch(`${url}?q=${encodeURIComponent(asked)}`, {
          signal: aborter.signal,
          headers: { Accept: "application/json" },
        });
        const { pages } = response.ok ? await response.json() : { pages: [] };
        options.push(
          ...pages.map((page) => ({
            label: page.title,
            detail: page.draft ? `${page.path} · ${words.draft}` : page.path,
            apply: put(page.title, `node:${page.id}`),
          })),
        );
      } catch {
        return null;
      }
    }
    options.push(...address);
    return context.aborted || !options.length
      ? null
      : { from: found.from, to: context.pos, options, filter: false };
  };

  // -- links to pages -----------------------------------------------------------------------------

  // What the server has said of the references in the text: id -> address, null if it is broken.
  const setTargets = StateEffect.define();
  const targets = StateField.define({
    create: () => new Map(),
    update: (known, { effects }) => effects.find((effect) => effect.is(setTargets))?.value ?? known,
  });
  const brokenMark = Decoration.mark({ class: "cm-broken-link" });
  const REFERENCE = /^<?node:(\d{1,18})(?:[?#].*)?>?$/;

  // Calls `found(from, to, address)` for each link between two places that is a known reference.
  function eachReference(state, tree, from, to, found) {
    const known = state.field(targets);
    if (!known.size) return;
    tree.iterate({
      from,
      to,
      enter: (node) => {
        if (node.name !== "URL") return;
        const reference = REFERENCE.exec(state.sliceDoc(node.from, node.to));
        const address = reference ? known.get(Number(reference[1])) : undefined;
        const link = node.node.parent;
        if (address !== undefined && /^(?:Link|Image|LinkReference)$/.test(link.name))
          found(link.from, link.to, address);
      },
    });
  }

  function brokenLinks(state) {
    const links = [];
    const tree = ensureSyntaxTree(state, state.doc.length, 100) ?? syntaxTree(state);
    eachReference(state, tree, 0, state.doc.length, (from, to, address) => {
      if (address === null) links.push({ from, to });
    });
    return links;
  }

  const brokenMarks = ViewPlugin.fromClass(
    class {
      constructor(view) {
        this.decorations = this.mark(view);
      }

      update({ view, state, startState, docChanged, viewportChanged }) {
        const told = state.field(targets) !== startState.field(targets);
        const parsed = syntaxTree(state) !== syntaxTree(startState);
        if (told || parsed || docChanged || viewportChanged) this.decorations = this.mark(view);
      }

      mark({ state, visibleRanges }) {
        const marks = [];
        for (const { from, to } of visibleRanges) {
          eachReference(state, syntaxTree(state), from, to, (start, end, address) => {
            if (address === null) marks.push(brokenMark.range(start, end));
          });
        }
        return Decoration.set(marks, true);
      }
    },
    { decorations: (plugin) => plugin.decorations },
  );

  // Says where a reference leads, or that it leads nowhere.
  const targetTooltip = (brokenText) =>
    hoverTooltip(({ state }, place) => {
      let tooltip = null;
      const line = state.doc.lineAt(place);
      eachReference(state, syntaxTree(state), line.from, line.to, (from, to, address) => {
        if (place < from || to < place) return;
        const dom = document.createElement("div");
        dom.className = address === null ? "md-tooltip md-failed" : "md-tooltip";
        dom.textContent = address ?? brokenText;
        tooltip = { pos: from, end: to, above: true, create: () => ({ dom }) };
      });
      return tooltip;
    });

  globalThis.markdownLinks = {
    brokenLinks, brokenMarks, completePages, setTargets, targetTooltip, targets,
  };
})();
