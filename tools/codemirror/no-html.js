// Stands in for @codemirror/lang-html, which brings the grammars of HTML, CSS and JavaScript along:
// more than all the rest together, to colour what few authors write. HTML is still told apart
// from text by the grammar of Markdown itself.
export const html = () => ({ language: { parser: undefined }, support: [] });
export const htmlCompletionSource = () => null;
