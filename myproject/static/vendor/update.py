#!/usr/bin/env python3
"""Fetch, derive and check the third-party files of this directory.

Run without arguments to fetch the pinned versions from the npm registry, or with ``--check`` to
compare the committed files with ``versions.json`` (no network, no Node). Needs only the standard
library, and to make the bundle anew Node with npm.

To upgrade: change a version in ``PACKAGES``, run, look at the difference, commit. What the bundle
of the editor is made of is pinned in ``tools/codemirror/package.json``; after a change there run
``npm install --package-lock-only --ignore-scripts`` in that folder first.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
MANIFEST = HERE / "versions.json"
REGISTRY = "https://registry.npmjs.org"

# Package -> version, licence identifier, and which of its files become which of ours.
PACKAGES = {
    "bootstrap": {
        "version": "5.3.8",
        "license": "MIT",
        "files": {
            "dist/css/bootstrap.min.css": "bootstrap.min.css",
            "dist/css/bootstrap-reboot.min.css": "bootstrap-reboot.min.css",
            "LICENSE": "bootstrap.LICENSE.txt",
        },
    },
    "htmx.org": {
        "version": "2.0.11",
        "license": "0BSD",
        "files": {
            "dist/htmx.min.js": "htmx.min.js",
            "LICENSE": "htmx.LICENSE.txt",
        },
    },
}

# Where the bundle is made, in a checkout; an installed package has the bundle only.
BUNDLER = HERE.parents[2] / "tools" / "codemirror"
BUNDLER_FILES = ("package.json", "package-lock.json", "build.mjs", "entry.js", "no-html.js")
BUNDLE_FILES = ("codemirror.min.js", "codemirror.LICENSE.txt")

DARK = "[data-bs-theme=dark]"
DARK_FILE = "bootstrap-dark.css"


class VendorError(Exception):
    """A file or package is not what it should be."""


def fetch(url: str) -> bytes:
    """Return the body at ``url``, which must be HTTPS."""
    if not url.startswith("https://"):
        raise VendorError(f"refusing to fetch {url}: not https")
    with urllib.request.urlopen(url, timeout=60) as response:
        return response.read()


def verify_integrity(data: bytes, integrity: str) -> None:
    """Compare ``data`` with a Subresource Integrity value such as ``sha512-…``."""
    algorithm, _, expected = integrity.partition("-")
    if algorithm not in ("sha384", "sha512"):
        raise VendorError(f"integrity uses {algorithm}, wanted sha384 or sha512")
    actual = base64.b64encode(hashlib.new(algorithm, data).digest()).decode()
    if actual != expected:
        raise VendorError(f"integrity mismatch: wanted {integrity}, got {algorithm}-{actual}")


def download(name: str, package: dict, registry: str) -> tuple[dict[str, bytes], str]:
    """Fetch one package; return its wanted files by our names, and npm's integrity value."""
    dist = json.loads(fetch(f"{registry}/{name}/{package['version']}"))["dist"]
    tarball = fetch(dist["tarball"])
    verify_integrity(tarball, dist["integrity"])
    found = {}
    with tarfile.open(fileobj=io.BytesIO(tarball), mode="r:gz") as archive:
        for source, target in package["files"].items():
            member = archive.extractfile(f"package/{source}")
            if member is None:
                raise VendorError(f"{name}: {source} is not a file")
            found[target] = strip_source_map(member.read())
    return found, dist["integrity"]


def strip_source_map(data: bytes) -> bytes:
    """Drop the comment that makes browsers ask for a source map we do not ship."""
    comment = ("/*# sourceMapping", "//# sourceMapping")
    kept = [line for line in data.decode("utf-8").splitlines() if not line.startswith(comment)]
    return ("\n".join(kept).rstrip() + "\n").encode()


def blocks(css: str):
    """Yield ``(prelude, content)`` of each block at the top level of ``css``.

    Knows strings and comments, which is all that minified CSS can hide a brace in.
    """
    depth = start = position = 0
    prelude = ""
    while position < len(css):
        character = css[position]
        if character in "\"'":
            position = css.index(character, position + 1)
        elif css.startswith("/*", position):
            end = css.index("*/", position) + 2
            css = css[:position] + css[end:]
            continue
        elif character == "{":
            depth += 1
            if depth == 1:
                prelude, start = css[start:position].strip(), position + 1
        elif character == "}":
            depth -= 1
            if depth == 0:
                yield prelude, css[start:position]
                start = position + 1
        elif character == ";" and depth == 0:  # @charset, @import
            start = position + 1
        position += 1


def dark_rules(css: str) -> list[str]:
    """Return the rules for Bootstrap's dark theme, addressed to ``:root``."""
    rules = []
    for prelude, content in blocks(css):
        if prelude.startswith(("@media", "@supports")):
            inner = dark_rules(content)
            if inner:
                rules.append(f"{prelude}{{{''.join(inner)}}}")
        elif not prelude.startswith("@"):
            # `.navbar[data-bs-theme=dark]` is a dark bar on a light page: not for us.
            selectors = [s.strip() for s in prelude.split(",") if s.strip().startswith(DARK)]
            if selectors:
                selector = ",".join(s.replace(DARK, ":root") for s in selectors)
                rules.append(f"{selector}{{{content}}}")
    return rules


def make_dark(css: str, version: str) -> bytes:
    """Dark mode by preference: Bootstrap offers it by an attribute, which would take a script."""
    rules = dark_rules(css)
    if not rules:
        raise VendorError("found no dark rules: has Bootstrap changed its selector?")
    head = (
        f"/* Made by update.py from bootstrap.min.css {version} (MIT, bootstrap.LICENSE.txt):\n"
        "   the rules of its dark theme, for readers who prefer a dark one. Do not edit. */\n"
    )
    body = "\n".join(rules)
    return f"{head}@media (prefers-color-scheme:dark){{\n{body}\n}}\n".encode()


def make_bundle(registry: str) -> tuple[dict[str, bytes], dict]:
    """Bundle the editor from the pinned packages; return its files, and the packages in them.

    npm compares what it downloads with the hashes in the lock file, and no package's own scripts
    are run. The same versions give the same bytes.
    """
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        raise VendorError("making the bundle of the editor takes Node with npm")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for name in BUNDLER_FILES:
            shutil.copy(BUNDLER / name, place / name)
        install = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        if registry != REGISTRY:
            install += ["--registry", registry]
        subprocess.run(install, cwd=place, check=True, stdout=sys.stderr)
        made = subprocess.run(
            [node, "build.mjs", folder], cwd=place, check=True, stdout=subprocess.PIPE
        )
        files = {name: (place / name).read_bytes() for name in BUNDLE_FILES}
    return files, json.loads(made.stdout)


def bundler_hashes() -> dict[str, str]:
    """Return the hash of each file that the bundle is made by."""
    return {name: sha256((BUNDLER / name).read_bytes()) for name in BUNDLER_FILES}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def update(registry: str) -> None:
    """Fetch every package, then write the files and the manifest."""
    files: dict[str, bytes] = {}
    packages = {}
    for name, package in PACKAGES.items():
        found, integrity = download(name, package, registry)
        files |= found
        packages[name] = {
            "version": package["version"],
            "license": package["license"],
            "integrity": integrity,
        }
    bundle, bundled = make_bundle(registry)
    files |= bundle
    css = files["bootstrap.min.css"].decode("utf-8")
    files[DARK_FILE] = make_dark(css, PACKAGES["bootstrap"]["version"])
    for name, data in files.items():
        (HERE / name).write_bytes(data)
    manifest = {
        "packages": packages,
        "bundle": {"packages": bundled, "made_by": bundler_hashes()},
        "sha256": {name: sha256(data) for name, data in sorted(files.items())},
    }
    MANIFEST.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    for name, data in sorted(files.items()):
        print(f"{len(data):>8}  {name}")


def check() -> list[str]:
    """Return what is wrong with the committed files, nothing when all is well."""
    manifest = json.loads(MANIFEST.read_text(encoding="utf-8"))
    problems = []
    for name, package in PACKAGES.items():
        recorded = manifest["packages"].get(name, {}).get("version")
        if recorded != package["version"]:
            problems.append(f"{name}: {package['version']} is pinned, {recorded} is committed")
    for name, expected in manifest["sha256"].items():
        path = HERE / name
        if not path.is_file():
            problems.append(f"{name}: missing")
        elif sha256(path.read_bytes()) != expected:
            problems.append(f"{name}: does not match its hash in {MANIFEST.name}")
    if BUNDLER.is_dir():
        for name, recorded in manifest["bundle"]["made_by"].items():
            path = BUNDLER / name
            if not path.is_file() or sha256(path.read_bytes()) != recorded:
                problems.append(f"tools/codemirror/{name}: the bundle was not made by this file")
    known = {MANIFEST.name, Path(__file__).name, *manifest["sha256"]}
    for path in sorted(HERE.iterdir()):
        if path.is_file() and path.name not in known:
            problems.append(f"{path.name}: not in {MANIFEST.name}")
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="only compare with the manifest")
    parser.add_argument("--registry", default=REGISTRY, help="npm registry (default: %(default)s)")
    arguments = parser.parse_args()
    expected = (VendorError, OSError, KeyError, ValueError, tarfile.TarError)
    try:
        if not arguments.check:
            update(arguments.registry.rstrip("/"))
        problems = check()
    except (*expected, subprocess.SubprocessError) as error:
        problems = [f"{type(error).__name__}: {error}"]
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
