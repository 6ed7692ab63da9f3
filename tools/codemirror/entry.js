// What the editor's scripts use of CodeMirror 6 and of turndown, as the global `CodeMirror`.
//
// Nothing of ours is in here: behaviour lives in static/editor*.js, which can be read and changed
// without building anything.
export { EditorSelection, EditorState, Prec, StateEffect, StateField } from "@codemirror/state";
export {
  Decoration, EditorView, ViewPlugin, drawSelection, dropCursor, highlightSpecialChars, hoverTooltip,
  keymap, placeholder,
} from "@codemirror/view";
export {
  defaultKeymap, history, historyKeymap, indentLess, indentMore, redo, redoDepth, undo, undoDepth,
} from "@codemirror/commands";
export { ensureSyntaxTree, syntaxHighlighting, syntaxTree } from "@codemirror/language";
export { autocompletion, startCompletion } from "@codemirror/autocomplete";
export { search, searchKeymap } from "@codemirror/search";
export { markdown } from "@codemirror/lang-markdown";
export { tagHighlighter, tags } from "@lezer/highlight";
export { Autolink, Strikethrough, Table, TaskList } from "@lezer/markdown";
export { default as Turndown } from "turndown";
