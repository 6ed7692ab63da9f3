// HTML from the clipboard as Markdown: `markdownFrom(html)`.
//
// What Word and Google Docs put there says with styles what HTML has elements for, and is put
// right before it is converted. It is parsed into a document of its own, in which nothing is run
// or loaded; what the server makes of the Markdown is sanitised like everything else.
// Styles and handlers are renamed before: the page's policy would report each of them.
(() => {
  "use strict";

  const BLOCK =
    /^(?:ADDRESS|ARTICLE|BLOCKQUOTE|DD|DIV|DL|DT|FIGURE|FOOTER|H[1-6]|HEADER|HR|LI|MAIN|NAV|OL|P|PRE|SECTION|TABLE|UL)$/;
  const WITHOUT_MEANING = [
    "head",
    "link",
    "meta",
    "noscript",
    "object",
    "embed",
    "iframe",
    "script",
    "style",
    "svg",
    "template",
    "title",
    "xml",
    "button",
    "select",
    "textarea",
    ".MsoCommentReference",
    ".Apple-interchange-newline",
    "[data-style*='mso-list:Ignore' i]",
    "[data-style*='mso-list: Ignore' i]",
    "[data-style*='mso-element:comment']",
    "[data-style*='display:none']",
    "[data-style*='display: none']",
    "[data-style*='mso-hide:all']",
    // Of our own pages.
    "a.anchor",
    "button.copy",
    ".footnote-backref",
  ].join(",");
  const WITH_MEANING = [
    "a",
    "b",
    "strong",
    "i",
    "em",
    "code",
    "pre",
    "del",
    "s",
    "strike",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "ul",
    "ol",
    "table",
    "blockquote",
    "hr",
    "img",
    "sub",
    "sup",
    "kbd",
    "mark",
    "p + p",
    "div + div",
  ].join(",");
  const LEADS_SOMEWHERE = /^(?:https?:\/\/|mailto:|tel:|\/(?!\/)|node:\d)/i;

  const all = (root, selector) => [...root.querySelectorAll(selector)];
  const unwrap = (element) => element.replaceWith(...element.childNodes);
  const rename = (element, name) => {
    const renamed = element.ownerDocument.createElement(name);
    renamed.append(...element.childNodes);
    element.replaceWith(renamed);
    return renamed;
  };
  const wrap = (element, name) => {
    const inner = element.ownerDocument.createElement(name);
    inner.append(...element.childNodes);
    element.append(inner);
  };
  const disarmed = (html) =>
    html
      .replace(/<(style|script)\b[^>]*>[\s\S]*?<\/\1\s*>/gi, "")
      .replace(/<[a-z](?:[^"'<>]|"[^"]*"|'[^']*')*>/gi, (tag) =>
        tag.replace(/(["'\s])(style|on\w+)(?=\s*=)/gi, "$1data-$2"),
      );
  const styleOf = (element) => (element.dataset.style ?? "").replace(/\s*([:;])\s*/g, "$1");

  // -- lists ----------------------------------------------------------------------------------------

  // Word writes paragraphs that say at which level of which list they are, and draws the bullet.
  function liftWordLists(root) {
    let open = [];
    let last = null;
    for (const item of all(root, "[data-style*='mso-list']")) {
      const place = /mso-list:l(\d+) level(\d)/.exec(styleOf(item));
      if (!BLOCK.test(item.tagName) || !place || item.tagName === "LI") continue;
      const drawn =
        item.querySelector("[data-style*='mso-list:Ignore' i], [data-style*='mso-list: Ignore' i]")
          ?.textContent ?? "";
      const kind = /^\s*\(?(?:\d+|[a-z]{1,4})[.)]/i.test(drawn) ? "ol" : "ul";
      const level = Number(place[2]);
      // Another list begins where something else stood between.
      if (!last || nextElement(last) !== item) open = [];
      open = open.filter((list) => list.level <= level);
      if (
        open.at(-1)?.level === level &&
        (open.at(-1).kind !== kind || (level === 1 && open.at(-1).number !== place[1]))
      )
        open.pop();
      if (open.at(-1)?.level !== level) {
        const list = root.ownerDocument.createElement(kind);
        const start = /^\s*(\d+)/.exec(drawn);
        if (kind === "ol" && start && start[1] !== "1") list.setAttribute("start", start[1]);
        const parent = open.at(-1);
        if (parent) parent.element.lastElementChild.append(list);
        else item.before(list);
        open.push({ level, kind, number: place[1], element: list });
      }
      const entry = root.ownerDocument.createElement("li");
      // Its place is kept until the end, to see what follows it.
      entry.append(...item.childNodes);
      open.at(-1).element.append(entry);
      last = item;
    }
    for (const item of all(root, "[data-style*='mso-list']")) {
      if (!item.firstChild && BLOCK.test(item.tagName)) item.remove();
    }
  }

  function nextElement(element) {
    let next = element.nextElementSibling;
    while (next && /^[OU]L$/.test(next.tagName)) next = next.nextElementSibling;
    return next;
  }

  function tidyLists(root) {
    // Google has lists in lists; in HTML they are in the item before.
    for (const list of all(root, "ul > ul, ul > ol, ol > ul, ol > ol")) {
      const before = list.previousElementSibling;
      if (before?.tagName === "LI") {
        before.append(list);
      } else {
        const item = root.ownerDocument.createElement("li");
        list.before(item);
        item.append(list);
      }
    }
    for (const item of all(root, "li")) {
      const paragraphs = all(item, ":scope > p");
      if (paragraphs.length === 1) unwrap(paragraphs[0]);
      if (item.getAttribute("role") === "checkbox" || item.hasAttribute("aria-checked")) {
        all(item, ":scope > img").forEach((image) => image.remove());
        item.prepend(task(root, item.getAttribute("aria-checked") === "true"));
      }
    }
  }

  function task(root, checked) {
    const box = root.ownerDocument.createElement("input");
    box.type = "checkbox";
    if (checked) box.setAttribute("checked", "");
    return box;
  }

  // -- what is said with styles -----------------------------------------------------------------------

  function readStyles(root) {
    for (const element of all(root, "b, strong, i, em")) {
      const style = styleOf(element);
      // All of a Google document is in such a <b>.
      if (/^[BS]/.test(element.tagName) && /(?:^|;)font-weight:(?:normal|[1-4]00)/.test(style))
        unwrap(element);
      else if (/^[IE]/.test(element.tagName) && /(?:^|;)font-style:normal/.test(style))
        unwrap(element);
    }
    for (const element of all(root, "span, font")) {
      const style = styleOf(element);
      const marks = [];
      if (/(?:^|;)font-weight:(?:bold|[6-9]00)/.test(style)) marks.push("strong");
      if (/(?:^|;)font-style:(?:italic|oblique)/.test(style)) marks.push("em");
      if (/(?:^|;)text-decoration(?:-line)?:[^;]*line-through/.test(style)) marks.push("del");
      if (/(?:^|;)vertical-align:super/.test(style)) marks.push("sup");
      if (/(?:^|;)vertical-align:sub(?:;|$)/.test(style)) marks.push("sub");
      for (const mark of marks) wrap(element, mark);
      unwrap(element);
    }
    for (const element of all(root, ".MsoTitle")) rename(element, "h1");
    for (const element of all(root, ".MsoSubtitle")) rename(element, "p");
    for (const element of all(root, ".MsoQuote, .MsoIntenseQuote")) rename(element, "blockquote");
    for (const heading of all(root, "h1, h2, h3, h4, h5, h6"))
      all(heading, "b, strong, br").forEach(unwrap);
  }

  function tidyLinks(root) {
    for (const link of all(root, "a")) {
      let target = (link.getAttribute("href") ?? "").trim();
      const sent = /^https:\/\/www\.google\.com\/url\?(.*)$/.exec(target);
      if (sent) target = new URLSearchParams(sent[1]).get("q") ?? target;
      if (!LEADS_SOMEWHERE.test(target) || (!link.textContent.trim() && !link.querySelector("img")))
        unwrap(link);
      else {
        link.setAttribute("href", target.replace(/\s/g, "%20"));
        link.removeAttribute("title");
        // Underlined is what links are anyway.
        all(link, "u").forEach(unwrap);
      }
    }
    for (const image of all(root, "img")) {
      if (!/^(?:https?:\/\/|\/(?!\/))/i.test(image.getAttribute("src") ?? ""))
        image.replaceWith(image.getAttribute("alt") ?? "");
    }
  }

  function tidyText(root) {
    const texts = root.ownerDocument.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const text = texts.currentNode;
      const tidy = text.data.replace(/[\u200b\u2060\ufeff]/g, "").replaceAll("\u00a0", " ");
      if (tidy !== text.data) text.data = tidy;
    }
    // A line break between blocks is only the distance between them, and one at the end is none.
    for (const line of all(root, "br")) {
      let next = line.nextSibling;
      while (next?.nodeType === 3 && !next.data.trim()) next = next.nextSibling;
      if (!next && /^(?:TD|TH|P|LI|DIV|BODY)$/.test(line.parentElement.tagName)) {
        line.remove();
        continue;
      }
      const beside = [line.previousElementSibling, line.nextElementSibling];
      const alone = ![...line.parentElement.childNodes].some(
        (node) => node.nodeType === 3 && node.data.trim(),
      );
      if (alone && beside.some((element) => element && BLOCK.test(element.tagName))) line.remove();
    }
  }

  // -- tables ---------------------------------------------------------------------------------------

  function tableRule(turndown) {
    turndown.addRule("table", {
      filter: "table",
      replacement: (content, table) => {
        const rows = [...table.rows].map((row) =>
          [...row.cells].flatMap((cell) => [
            cellText(turndown, cell),
            ...Array(Math.min(cell.colSpan, 50) - 1).fill(""),
          ]),
        );
        const width = Math.max(0, ...rows.map((row) => row.length));
        if (!width) return "";
        // One cell is no table, but a frame around what is in it.
        if (width === 1 && rows.length === 1)
          return `\n\n${turndown.turndown(table.rows[0].cells[0]).trim()}\n\n`;
        const line = (cells) =>
          `| ${[...cells, ...Array(width - cells.length).fill("")].join(" | ")} |`;
        const [head, ...body] = rows;
        const lines = [line(head.map(unmarked)), line(Array(width).fill("---")), ...body.map(line)];
        const caption = table.caption ? `${turndown.turndown(table.caption).trim()}\n\n` : "";
        return `\n\n${caption}${lines.join("\n")}\n\n`;
      },
    });
  }

  function cellText(turndown, cell) {
    const text = turndown.turndown(cell).trim();
    return text.replace(/\\?\|/g, "\\|").replace(/(?: {2}|\\)?\n(?:\s*\n)*/g, "<br>");
  }

  // The cells of a heading are bold by themselves.
  const unmarked = (text) => text.replace(/^\*\*((?:(?!\*\*).)+)\*\*$/, "$1");

  // -- conversion -----------------------------------------------------------------------------------

  function makeConverter() {
    const turndown = new CodeMirror.Turndown({
      bulletListMarker: "-",
      codeBlockStyle: "fenced",
      emDelimiter: "*",
      headingStyle: "atx",
      hr: "---",
      br: "\\",
    });
    const escape = turndown.escape.bind(turndown);
    turndown.escape = (text) =>
      escape(text)
        .replace(/<(?=[a-z!/?])/gi, "\\<")
        .replace(/&(?=#?\w+;)/g, "\\&")
        // Within words these mean nothing.
        .replace(/(?<=[\p{L}\p{N}])\\_(?=[\p{L}\p{N}])/gu, "_");
    turndown.addRule("struck", {
      filter: ["del", "s", "strike"],
      replacement: (content) => (content.trim() ? `~~${content}~~` : content),
    });
    for (const name of ["sub", "sup", "kbd", "mark"]) {
      turndown.addRule(name, {
        filter: name,
        replacement: (content) => (content.trim() ? `<${name}>${content}</${name}>` : content),
      });
    }
    turndown.addRule("task", {
      filter: (node) => node.nodeName === "INPUT" && node.getAttribute("type") === "checkbox",
      replacement: (content, node) => (node.hasAttribute("checked") ? "[x] " : "[ ] "),
    });
    turndown.addRule("item", {
      filter: "li",
      replacement: (content, node, options) => {
        const list = node.parentNode;
        let marker = `${options.bulletListMarker} `;
        if (list.nodeName === "OL") {
          const number = Number(list.getAttribute("start") || 1) + [...list.children].indexOf(node);
          marker = `${number}. `;
        }
        const text = content
          .trim()
          .replace(/\n/g, `\n${" ".repeat(marker.length)}`)
          .replace(/^\s+$/gm, "");
        return `${marker}${text}${node.nextSibling ? "\n" : ""}`;
      },
    });
    tableRule(turndown);
    return turndown;
  }

  let converter;

  // Returns Markdown, or an empty string where there is nothing but text without any markup.
  globalThis.markdownFrom = (html) => {
    const root = new DOMParser().parseFromString(disarmed(html), "text/html").body;
    const comments = root.ownerDocument.createTreeWalker(root, NodeFilter.SHOW_COMMENT);
    const found = [];
    while (comments.nextNode()) found.push(comments.currentNode);
    found.forEach((comment) => comment.remove());
    // Elements with a prefix are Word's own: o:p, w:sdt, v:shape.
    for (const element of all(root, "*")) {
      if (!element.localName.includes(":")) continue;
      if (/^(?:o:p|w:|st\d:)/.test(element.localName)) unwrap(element);
      else element.remove();
    }
    liftWordLists(root);
    all(root, WITHOUT_MEANING).forEach((element) => element.remove());
    readStyles(root);
    tidyLists(root);
    tidyLinks(root);
    tidyText(root);
    all(root, "u, ins").forEach(unwrap);
    if (!root.querySelector(WITH_MEANING)) return "";
    converter ??= makeConverter();
    return converter
      .turndown(root)
      .replace(/[^\S\n]+$/gm, "")
      .replace(/\n{3,}/g, "\n\n")
      .trim();
  };
})();
