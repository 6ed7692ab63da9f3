"""What the domain refuses reaches people in their language, and never as ``str(error)``."""

import ast
from pathlib import Path

import pytest

import myproject

PACKAGE = Path(myproject.__file__).parent

#: What people at a browser see.
SCREENS = sorted([*(PACKAGE / "views").rglob("*.py"), *(PACKAGE / "addons").rglob("*.py")])


def caught(path):
    """Yield the name and the body of every ``except ... as name`` in a module."""
    for item in ast.walk(ast.parse(path.read_text())):
        if isinstance(item, ast.ExceptHandler) and item.name is not None:
            yield item.name, ast.Module(item.body, [])


def is_english(item, name):
    """Whether an expression makes an English text of the error *name*."""
    match item:
        case ast.Call(func=ast.Name("str"), args=[ast.Name(called)]):
            return called == name
        case ast.FormattedValue(value=ast.Name(called)):
            return called == name
        case ast.FormattedValue(value=ast.Attribute(ast.Name(called), "message" | "reason")):
            return called == name
    return False


@pytest.mark.parametrize("path", SCREENS, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_screen_shows_an_error_in_english(path):
    for name, body in caught(path):
        lines = [item.lineno for item in ast.walk(body) if is_english(item, name)]
        assert not lines, f"lines {lines}: give its message to translated()"
