"""The tutorial does what it says: its files are written, its commands run, its outputs compared.

A box that is not a console's is a file, named at the end of the line above it. In a console ``...``
stands for any lines. Times, numbers of tests and the width of columns may differ.
"""

from __future__ import annotations

import ast
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

import myproject
from myproject.extend import DIRECTIVES

ROOT = Path(myproject.__file__).parents[1]
TUTORIAL = ROOT / "docs" / "tutorial.md"
PRODUCTS = ROOT / "myproject" / "addons" / "products"
PORT = "6543"

#: What the tutorial makes ready, the environment of this test run is already.
READY = (
    "mkdir shop",
    "cd shop",
    "python3 -m venv .venv",
    "source .venv/bin/activate",
    'pip install -e "../myproject[testing]"',
)
#: Installs the package in place without asking the network: its metadata is written beside it,
#: and ``PYTHONPATH`` leads to both.
INSTALL = "pip install -e ."
INSTALL_OFFLINE = 'python -c "import setuptools; setuptools.setup()" --quiet egg_info'
#: Runs until it is stopped.
SERVE = "pserve development.ini"


class Block(NamedTuple):
    """A box of the tutorial.

    :ivar line: where it begins.
    :ivar file: what it is written to; empty for a console.
    """

    line: int
    file: str
    text: str


def blocks() -> list[Block]:
    found = []
    text = TUTORIAL.read_text(encoding="utf-8")
    for match in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        above = text[: match.start()].rstrip().rpartition("\n")[2]
        file = "" if match[1] == "console" else re.findall(r"`([^`]+)`(?: is)?:$", above)[0]
        found.append(Block(text[: match.start()].count("\n") + 1, file, match[2]))
    return found


def commands(text: str) -> list[tuple[str, str]]:
    """Return each command of a console with the output that is shown."""
    parts = re.split(r"^\$ (.*)\n", text, flags=re.MULTILINE)
    assert not parts[0], "a console begins with a command"
    return list(zip(parts[1::2], parts[2::2], strict=True))


def matches(shown: str, printed: str) -> bool:
    pattern = "".join(
        "(?:.*\n)*?" if line == "...\n" else re.escape(line)
        for line in comparable(shown).splitlines(keepends=True)
    )
    return re.fullmatch(pattern, comparable(printed)) is not None


def comparable(output: str) -> str:
    """Return what a console shows, without what differs from one machine or day to the next."""
    without_numbers = re.sub(
        r"\d+(?= (?:passed|skipped)\b)|(?<= in )\d+\.\d+(?=s$)", "N", output, flags=re.M
    )
    return re.sub(" +", " ", without_numbers)


class Terminal:
    """A directory, an environment, and a server that may be running.

    :param folder: empty.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server: subprocess.Popen[bytes] | None = None
        with socket.socket() as free:
            free.bind(("localhost", 0))
            self.port = str(free.getsockname()[1])
        # Nothing of this test run, and no database server: the reader has none.
        ours = ("PYTEST_", "MYPROJECT_", "CI")
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(ours)} | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(folder),
            "PYTHONDONTWRITEBYTECODE": "1",
            # No plugins of pytest that the reader has not installed.
            "PYTEST_ADDOPTS": "-p no:hypothesispytest",
        }

    def write(self, file: str, text: str) -> None:
        path = self.folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace(f":{PORT}", f":{self.port}"), encoding="utf-8")

    def run(self, command: str) -> str:
        """Run a command as a shell would, and return what it printed."""
        if command in READY:
            return ""
        if command == SERVE:
            return self.serve()
        command = INSTALL_OFFLINE if command == INSTALL else command
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command.replace(f":{PORT}", f":{self.port}")],
            cwd=self.folder,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"$ {command}\n{done.stdout}"
        return done.stdout

    def serve(self) -> str:
        """Start the server, once more if it runs already, and wait until it answers."""
        self.stop()
        log = self.folder / "server.log"
        with log.open("wb") as output:
            self.server = subprocess.Popen(
                shlex.split(SERVE),
                cwd=self.folder,
                env=self.env,
                stdout=output,
                stderr=output,
                # Ctrl+C ends it, also where whoever runs the tests has chosen to ignore that.
                preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
            )
        ends = time.monotonic() + 60
        while time.monotonic() < ends and self.server.poll() is None:
            with socket.socket() as client:
                if client.connect_ex(("localhost", int(self.port))) == 0:
                    return ""
            time.sleep(0.05)
        raise AssertionError(f"The server does not answer:\n{log.read_text()}")

    def stop(self) -> None:
        if self.server is not None:
            self.server.send_signal(signal.SIGINT)
            self.server.wait(timeout=30)
            self.server = None


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal(tmp_path)
    yield terminal
    terminal.stop()


def test_the_tutorial_works_as_it_is_written(terminal: Terminal) -> None:
    ran = set()
    for block in blocks():
        if block.file:
            terminal.write(block.file, block.text)
            continue
        for command, shown in commands(block.text):
            printed = terminal.run(command)
            ran.add(command)
            assert matches(shown, printed), (
                f"docs/tutorial.md, line {block.line}: $ {command}\n"
                f"shows\n{shown}\nand prints\n{printed}"
            )
    assert {*READY, INSTALL, SERVE} <= ran


def directives_of(source: str) -> set[str]:
    """Return the directives that a module calls, and Pyramid's own for views."""
    calls = (node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    names = {call.attr for call in calls if isinstance(call, ast.Attribute)}
    return names & {*DIRECTIVES, "add_view"}


#: What the bundled add-on says -> what the tutorial says.
RENAMED = {
    "myproject.addons.products:": "shop:",
    "myproject.products.": "myproject.shop.",
    "products_product": "shop_product",
    "products.css": "shop.css",
    "product": "shop-product",
}
#: The same for the names of what it registers.
REGISTERED = {"products": "shop"}


class Bare(ast.NodeTransformer):
    """Leaves of a module what it does: no imports, docstrings, annotations, no translation."""

    def visit_Import(self, node: ast.AST) -> None:
        return None

    visit_ImportFrom = visit_Import

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        node.returns = None
        for argument in node.args.args:
            argument.annotation = None
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        is_docstring = isinstance(node.value, ast.Constant)
        return None if is_docstring else self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> ast.AST | None:
        is_translation = isinstance(node.targets[0], ast.Name) and node.targets[0].id == "_"
        return None if is_translation else self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        match node.func:
            case ast.Name("_"):
                return node.args[0]
            case ast.Attribute(attr="add_migrations"):
                # A bundled one need not say where they are.
                del node.args[1:]
        return node


def what_it_does(source: str) -> str:
    return ast.unparse(ast.fix_missing_locations(Bare().visit(ast.parse(source))))


@pytest.mark.parametrize("file", ["__init__.py", "models.py", "price.py", "listing.py"])
def test_the_bundled_add_on_does_the_same(file: str) -> None:
    last = [block.text for block in blocks() if block.file == f"shop/{file}"][-1]
    bundled = what_it_does((PRODUCTS / file).read_text(encoding="utf-8"))
    renamed = RENAMED | (REGISTERED if file == "__init__.py" else {})
    for theirs, ours in renamed.items():
        bundled = re.sub(rf"(?<=['\"])({re.escape(theirs)})(?=['\"]|(?<=[:.])\w)", ours, bundled)
    assert what_it_does(last) == bundled


def test_every_directive_is_explained() -> None:
    text = TUTORIAL.read_text(encoding="utf-8")
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    last = [block.text for block in blocks() if block.file == "shop/__init__.py"][-1]
    for name in directives_of(last):
        assert f"`{name}`" in prose


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("a\n", "a\n", True),
        ("a\n", "a\nb\n", False),
        ("a\n...\n", "a\nb\nc\n", True),
        ("...\nb\n", "a\nb\n", True),
        ("...\nb\n", "a\nb\nc\n", False),
        ("a.c\n", "abc\n", False),
        ("1 passed, 2 skipped in 5.21s\n", "3 passed, 1 skipped in 10.00s\n", True),
        ("1 passed in 5.21s\n", "1 passed, 1 failed in 10.00s\n", False),
        ("a  on\n", "a    on\n", True),
        ("", "a\n", False),
    ],
)
def test_outputs_are_compared(shown: str, printed: str, same: bool) -> None:
    assert matches(shown, printed) is same
