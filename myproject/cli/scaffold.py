"""``addon new``: a package with an add-on that works and is tested, to be changed from there on."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from keyword import iskeyword
from pathlib import Path
from string import Template

import click

from myproject.extend.switching import available

#: What becomes a package. In the names of files PACKAGE and NAME stand for those of the add-on.
TEMPLATES = Path(__file__).resolve().parent.parent / "scaffold"
SUFFIX = ".template"

#: Branches of migrations have names of at most this length, and ids of revisions are the name and a
#: number, so that it cannot end with one.
LONGEST = 20
_NAME = re.compile(r"[a-z](?:[a-z0-9]|[-_](?=[a-z0-9]))*(?<![0-9])")
#: What can stand in the strings, comments and documents of a package as it is.
_TITLE = re.compile(r'[^\x00-\x1f\x7f"\\{}<>*`$]{1,40}')

#: Names that mean something else: the branch of the core, and the folder of the package's tests.
_RESERVED = frozenset({"core", "tests"})


def _checked_name(context: click.Context, parameter: click.Parameter, name: str) -> str:
    """Return the add-on's name, with hyphens.

    :raises click.BadParameter: when it cannot be one, or is taken.
    """
    package = name.replace("-", "_")
    if not _NAME.fullmatch(name) or len(name) > LONGEST or iskeyword(package):
        raise click.BadParameter(
            f"{name!r} cannot be the name of an add-on and of its Python package. Use small "
            "letters, digits and single hyphens, a letter first and last, at most "
            f"{LONGEST} characters, and no word of the Python language."
        )
    for addon in available().values():
        if addon.name.replace("-", "_") == package:
            source = "myproject" if addon.source == "bundled" else addon.source
            raise click.BadParameter(
                f"There is an add-on {addon.name!r} already: it comes with {source}."
            )
    if package in _RESERVED:
        raise click.BadParameter(f"{name!r} means something else already.")
    if package in sys.stdlib_module_names or find_spec(package):
        raise click.BadParameter(
            f"There is a Python package {package!r} already, and one would hide the other."
        )
    return package.replace("_", "-")


def _checked_title(context: click.Context, parameter: click.Parameter, title: str | None) -> str:
    """Return the title, or nothing where none was given.

    :raises click.BadParameter: when it cannot stand in a source file.
    """
    if title is None:
        return ""
    if not _TITLE.fullmatch(title.strip()):
        raise click.BadParameter(
            'It has 1 to 40 characters on one line, and none of " \\ { } < > * ` $.'
        )
    return title.strip()


@click.command("new")
@click.argument("name", callback=_checked_name)
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The directory to make; NAME in this one when left out.",
)
@click.option(
    "--title", callback=_checked_title, help="What people call it; from NAME when left out."
)
def new_addon(name: str, folder: Path | None, title: str) -> None:
    """Make a package with an add-on of your own, in a new directory.

    It has a content type with a table, a panel, a list, a setting and tests of all that.
    """
    folder = folder or Path(name)
    if folder.exists():
        raise click.UsageError(f"{folder} exists already. Name another directory with --folder.")
    values = names_for(name, title)
    try:
        made = write(folder, values)
    except OSError as error:
        raise click.ClickException(f"{folder} cannot be written: {error.strerror}.") from error
    click.echo(f"The add-on {name} is in {folder}:")
    for path in made:
        click.echo(f"  {path}")
    click.echo("Next:")
    for command in (f"cd {shlex.quote(str(folder))}", 'pip install -e ".[testing]"', "pytest"):
        click.echo(f"  {command}")
    click.echo(f"README.md says how to switch it on: myproject.addons = {name}")


def names_for(name: str, title: str = "") -> dict[str, str]:
    """Return what the templates call things.

    :param name: of the add-on, with hyphens.
    """
    words = name.split("-")
    package = "_".join(words)
    return {
        "name": name,
        "package": package,
        "title": title or " ".join(words).capitalize(),
        # All of them have something after the name, so that they are not those of the core.
        "cls": f"{''.join(word.capitalize() for word in words)}Page",
        "type": f"{name}-page",
        "table": f"{package}_page",
        "view": f"{name}-list",
    }


def write(folder: Path, values: Mapping[str, str]) -> list[str]:
    """Write the package, and return the paths of its files in the folder.

    :raises OSError: when something cannot be written.
    """
    made = {}
    for template in TEMPLATES.rglob(f"*{SUFFIX}"):
        path = template.relative_to(TEMPLATES).as_posix().removesuffix(SUFFIX)
        path = path.replace("PACKAGE", values["package"]).replace("NAME", values["name"])
        # Patterns of package data do not match what begins with a dot.
        path = ".gitignore" if path == "gitignore" else path
        made[path] = Template(template.read_text(encoding="utf-8")).substitute(values)
    for path, text in sorted(made.items()):
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return sorted(made)
