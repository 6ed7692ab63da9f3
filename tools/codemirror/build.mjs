// Writes the bundle and the licences of what is in it to the folder that the command line names,
// and says on standard output, as JSON, which packages those are. Called by static/vendor/update.py
// after `npm ci`; the same versions give the same bytes.
import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";

const target = process.argv[2];
const lock = JSON.parse(await readFile("package-lock.json", "utf8")).packages;
const { metafile } = await build({
  entryPoints: ["entry.js"],
  alias: { "@codemirror/lang-html": "./no-html.js" },
  bundle: true,
  charset: "utf8",
  format: "iife",
  globalName: "CodeMirror",
  legalComments: "none",
  mainFields: ["browser", "module", "main"],
  metafile: true,
  minify: true,
  outfile: join(target, "codemirror.min.js"),
  target: "es2022",
  banner: {
    js: "/* CodeMirror 6 and turndown, see codemirror.LICENSE.txt. Made by update.py; do not edit. */",
  },
});

// Only what has really got into the bundle.
const [output] = Object.values(metafile.outputs);
const folders = new Set();
for (const [file, { bytesInOutput }] of Object.entries(output.inputs)) {
  const match = /^(node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file);
  if (match && bytesInOutput) folders.add(match[1]);
}
const packages = {};
const licences = [];
for (const folder of [...folders].sort()) {
  const { version, integrity, license } = lock[folder];
  const name = folder.slice("node_modules/".length);
  packages[name] = { version, license, integrity };
  const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
  if (!file) throw new Error(`${name} has no licence file`);
  const text = (await readFile(join(folder, file), "utf8")).replaceAll("\r\n", "\n").trim();
  licences.push(`${name} ${version}\n${"=".repeat(name.length + version.length + 1)}\n\n${text}\n`);
}
await writeFile(join(target, "codemirror.LICENSE.txt"), licences.join("\n\n"));
process.stdout.write(JSON.stringify(packages));
