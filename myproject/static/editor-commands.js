// What the buttons and keys of the Markdown editor do: `markdownCommands`, for editor.js.
(() => {
  "use strict";

  const {
    EditorSelection, redo, startCompletion, syntaxTree, undo,
  } = CodeMirror;

  // Returns the nearest node of the syntax with one of these names that has all of a range in it.
  function around(state, { from, to }, names) {
    for (const side of [1, -1]) {
      for (let node = syntaxTree(state).resolveInner(from, side); node; node = node.parent) {
        if (names.includes(node.name) && node.from <= from && node.to >= to) return node;
      }
    }
    return null;
  }

  const MARKED = { "**": "StrongEmphasis", "*": "Emphasis", "`": "InlineCode" };

  const toggleInline = (mark) => (view) => {
    const { state } = view;
    view.dispatch(
      state.changeByRange((range) => {
        const node = around(state, range, [MARKED[mark]]);
        if (node) {
          const [open, close] = [node.firstChild, node.lastChild];
          const opened = open.to - open.from;
          const inner = (place) => Math.min(Math.max(place, open.to), close.from) - opened;
          return {
            changes: [
              { from: open.from, to: open.to },
              { from: close.from, to: close.to },
            ],
            range: EditorSelection.range(inner(range.anchor), inner(range.head)),
          };
        }
        let { from, to } = range;
        const word = range.empty && state.wordAt(from);
        if (word && word.from < from && word.to > from) ({ from, to } = word);
        // Marks hold only directly beside a text.
        const text = state.sliceDoc(from, to);
        from += text.length - text.trimStart().length;
        to = Math.max(from, to - (text.length - text.trimEnd().length));
        const size = mark.length;
        const kept = range.empty
          ? EditorSelection.cursor(range.head + size)
          : EditorSelection.range(from + size, to + size);
        return {
          changes: [
            { from, insert: mark },
            { from: to, insert: mark },
          ],
          range: kept,
        };
      }),
      { userEvent: "input", scrollIntoView: true },
    );
    return true;
  };

  function touchedLines(state) {
    const lines = [];
    for (const range of state.selection.ranges) {
      for (let place = range.from; ;) {
        const line = state.doc.lineAt(place);
        if (lines.at(-1)?.number !== line.number) lines.push(line);
        if (line.to >= range.to) break;
        place = line.to + 1;
      }
    }
    return lines;
  }

  // `change` returns what the beginning of a line becomes: [length of the old, text of the new].
  function changeLines(view, change) {
    const lines = touchedLines(view.state);
    const some = lines.length > 1 ? lines.filter((line) => line.text.trim()) : lines;
    const changes = some.map((line, index) => {
      const [kept, old, insert] = change(line.text, index);
      return { from: line.from + kept, to: line.from + kept + old, insert };
    });
    view.dispatch({ changes, userEvent: "input", scrollIntoView: true });
    return true;
  }

  const BULLET = /^(\s*)([-*+] (?:\[[ xX]\] )?)/;
  const NUMBER = /^(\s*)(\d{1,9}[.)] )/;
  const QUOTE = /^(\s{0,3})(> ?)/;

  const toggleLines = (wanted, others, prefix) => (view) => {
    const lines = touchedLines(view.state);
    const full = lines.filter((line) => line.text.trim());
    const on = full.length && full.every((line) => wanted.test(line.text));
    return changeLines(view, (text, index) => {
      const found = wanted.exec(text) ?? others?.exec(text);
      const kept = found ? found[1].length : /^\s*/.exec(text)[0].length;
      return [kept, found ? found[2].length : 0, on ? "" : prefix(index)];
    });
  };

  const toggleHeading = (view) => {
    const [first] = touchedLines(view.state);
    const level = /^(#{1,6}) /.exec(first.text)?.[1].length ?? 0;
    const next = { 0: 2, 1: 2, 2: 3, 3: 4 }[level] ?? 0;
    return changeLines(view, (text) => [
      0,
      /^(?:#{1,6} +)?/.exec(text)[0].length,
      next ? `${"#".repeat(next)} ` : "",
    ]);
  };

  const toggleCode = (view) => {
    const { state } = view;
    const { main } = state.selection;
    const fenced = around(state, main, ["FencedCode"]);
    if (fenced) {
      // The lines with the fences go; a block that ends with the text has one only.
      const [first, last] = fenced
        .getChildren("CodeMark")
        .map((mark) => state.doc.lineAt(mark.from));
      const changes = [{ from: first.from, to: Math.min(first.to + 1, state.doc.length) }];
      if (last && last.number > first.number + 1)
        changes.push({ from: last.from - 1, to: last.to });
      else if (last) changes[0].to = last.to;
      view.dispatch({ changes, userEvent: "input" });
      return true;
    }
    if (!state.sliceDoc(main.from, main.to).includes("\n")) return toggleInline("`")(view);
    const [from, to] = [state.doc.lineAt(main.from).from, state.doc.lineAt(main.to).to];
    const text = state.sliceDoc(from, to);
    const fence = "`".repeat(
      Math.max(3, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length + 1)),
    );
    insertBlock(view, from, to, `${fence}\n${text}\n${fence}`, fence.length, fence.length);
    return true;
  };

  // Puts a text where a block has to stand by itself, and selects a part of it.
  function insertBlock(view, from, to, text, selectFrom, selectTo) {
    const { doc } = view.state;
    const before = /\n{0,2}$/.exec(doc.sliceString(Math.max(0, from - 2), from))[0];
    const after = /^\n{0,2}/.exec(doc.sliceString(to, to + 2))[0];
    const lead = from === 0 ? "" : "\n".repeat(2 - before.length);
    const tail = to === doc.length ? "" : "\n".repeat(2 - after.length);
    const start = from + lead.length;
    view.dispatch({
      changes: { from, to, insert: lead + text + tail },
      selection: { anchor: start + selectFrom, head: start + selectTo },
      userEvent: "input",
      scrollIntoView: true,
    });
  }

  const insertTable = (words) => (view) => {
    const { state } = view;
    const line = state.doc.lineAt(state.selection.main.head);
    const [from, to] = line.text.trim() ? [line.to, line.to] : [line.from, line.to];
    const head = `${words.column} 1`;
    const cell = " ".repeat(head.length);
    const rule = "-".repeat(head.length);
    const rows = [
      [head, `${words.column} 2`],
      [rule, rule],
      [cell, cell],
      [cell, cell],
    ];
    const text = rows.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
    insertBlock(view, from, to, text, 2, 2 + head.length);
    return true;
  };

  // Around a selection: a link of which the address is missing; else what the completion answers.
  const insertLink = (view) => {
    const { state } = view;
    const { main } = state.selection;
    const link = around(state, main, ["Link"]);
    if (link) {
      const url = link.getChild("URL");
      if (url)
        view.dispatch({ selection: { anchor: url.from, head: url.to }, scrollIntoView: true });
      return true;
    }
    const text = state.sliceDoc(main.from, main.to);
    const [insert, place] = /^https?:\/\/\S+$/.test(text)
      ? [`[](${text})`, 1]
      : text
        ? [`[${text}]()`, text.length + 3]
        : ["[[", 2];
    view.dispatch({
      changes: { from: main.from, to: main.to, insert },
      selection: { anchor: main.from + place },
      userEvent: "input",
      scrollIntoView: true,
    });
    startCompletion(view);
    return true;
  };

  // In lists Tab indents; anywhere else it goes on to the next control, as in a textarea.
  const indentInList = (command) => (view) => {
    const { state } = view;
    if (
      !around(state, state.selection.main, ["ListItem"]) &&
      !BULLET.test(state.doc.lineAt(state.selection.main.head).text)
    )
      return false;
    return command(view);
  };

  // Name -> what it does with a view; the names are those of the buttons.
  const makeCommands = (words) => ({
    bold: toggleInline("**"),
    italic: toggleInline("*"),
    heading: toggleHeading,
    link: insertLink,
    list: toggleLines(BULLET, NUMBER, () => "- "),
    ordered: toggleLines(NUMBER, BULLET, (index) => `${index + 1}. `),
    quote: toggleLines(QUOTE, null, () => "> "),
    code: toggleCode,
    table: insertTable(words),
    undo,
    redo,
  });

  globalThis.markdownCommands = { around, indentInList, makeCommands };
})();
