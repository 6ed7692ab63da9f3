"""Third-party files are what their manifest says, as anybody can check offline."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import myproject

VENDOR = Path(myproject.__file__).parent / "static" / "vendor"


def check(folder):
    """Run the check where there is no Node to be found, nor a network to be asked."""
    command = [sys.executable, folder / "update.py", "--check"]
    return subprocess.run(command, env={"PATH": ""}, capture_output=True, text=True, check=False)


def test_the_committed_files_are_those_of_the_manifest():
    done = check(VENDOR)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_bundled_package_has_a_licence_and_a_hash():
    bundled = json.loads((VENDOR / "versions.json").read_text("utf-8"))["bundle"]["packages"]
    licences = (VENDOR / "codemirror.LICENSE.txt").read_text("utf-8")
    assert {"@codemirror/view", "@lezer/markdown", "turndown"} <= set(bundled)
    for name, package in bundled.items():
        assert package["license"] == "MIT"
        assert package["integrity"].startswith("sha512-")
        assert f"{name} {package['version']}\n" in licences


def test_what_differs_is_named(tmp_path):
    root = tmp_path / "root"
    vendor = root / "myproject" / "static" / "vendor"
    shutil.copytree(VENDOR, vendor)
    bundler = VENDOR.parents[2] / "tools" / "codemirror"
    shutil.copytree(bundler, root / "tools" / "codemirror")
    assert check(vendor).returncode == 0
    with (vendor / "codemirror.min.js").open("a") as file:
        file.write("alert(1)")
    with (root / "tools" / "codemirror" / "entry.js").open("a") as file:
        file.write("// changed")
    (vendor / "other.js").touch()
    told = check(vendor).stderr
    assert "codemirror.min.js: does not match its hash" in told
    assert "entry.js: the bundle was not made by this file" in told
    assert "other.js: not in versions.json" in told
