// What editor.js uses of CodeMirror 6 and of turndown, as the global `CodeMirror`.
//
// Nothing of ours is in here: behaviour lives in static/editor.js, which can be read and changed
// without building anything.
export { Annotation, Compartment, EditorSelection, EditorState, Prec, StateEffect, StateField } from "@codemirror/state";
export {
  Decoration, EditorView, drawSelection, dropCursor, highlightSpecialChars, hoverTooltip, keymap,
  placeholder,
} from "@codemirror/view";
export {
  defaultKeymap, history, historyKeymap, indentLess, indentMore, isolateHistory, redo, redoDepth, undo,
  undoDepth,
} from "@codemirror/commands";
export { bracketMatching, syntaxHighlighting, syntaxTree } from "@codemirror/language";
export { autocompletion, completionKeymap, completionStatus, startCompletion } from "@codemirror/autocomplete";
export { highlightSelectionMatches, openSearchPanel, search, searchKeymap } from "@codemirror/search";
export { commonmarkLanguage, insertNewlineContinueMarkup, markdown } from "@codemirror/lang-markdown";
export { classHighlighter } from "@lezer/highlight";
export { Autolink, Strikethrough, Table, TaskList } from "@lezer/markdown";
export { default as Turndown } from "turndown";
