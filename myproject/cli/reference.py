"""``reference``: what developers and operators can use, as Markdown from the running site."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import click

from myproject.cli.context import Context
from myproject.content.operations_log import OperationKept
from myproject.content.workflow import Comment, State, Transition, TransitionTaken, Workflow
from myproject.declarations import Setting, expectation
from myproject.extend import DIRECTIVES
from myproject.extend.configurator import SiteConfigurator
from myproject.extend.points import SLOTS
from myproject.interfaces import IRoles
from myproject.tree.events import Committed, NodeEvent

_ROLE = re.compile(r":(?:class|func|mod|meth|attr):`~?([^`]+)`")
_FIELD = re.compile(r":(param|raises|returns|ivar) ?([^:]*): *(.*)")

_EMPTY = inspect.Parameter.empty

HEAD = """\
# Reference

What the application says of itself with all bundled add-ons on; `myproject reference` writes it
for any site. [The tutorial](tutorial.md) and [developing](developing.md) say how to use it.
"""


@click.command()
@click.pass_obj
def reference(context: Context) -> None:
    """Print the directives, events, slots, settings and permissions of this site, as Markdown."""
    click.echo("\n".join(write_reference(context.configurator)))


def write_reference(config: SiteConfigurator) -> Iterator[str]:
    """Yield the lines of the reference of a configured site."""
    registry: Any = config.registry
    yield HEAD
    yield "## Directives\n"
    yield "Called in an `includeme(config)`, as `config.NAME(...)`.\n"
    for name, directive in DIRECTIVES.items():
        yield from _callable(name, directive)
    yield "## Events\n"
    yield "For `config.add_event_subscriber`.\n"
    events = {*_events(NodeEvent), Committed, OperationKept, TransitionTaken}
    for event in sorted(events, key=lambda cls: cls.__name__):
        yield from _class(event)
    yield "## Workflows\n"
    yield "For `config.add_workflow`.\n"
    for part in (Workflow, State, Transition, Comment):
        yield from _class(part)
    yield "## Slots\n"
    yield "For `config.add_slot_panel`.\n"
    yield from (f"- `{slot}`: {where}" for slot, where in SLOTS.items())
    yield "\n## Permissions and roles\n"
    roles = registry.getUtility(IRoles)
    yield "| permission | lets one | roles |\n| --- | --- | --- |"
    for name, title in roles.permissions.items():
        having = ", ".join(role.name for role in roles.values() if name in role.permissions)
        yield f"| `{name}` | {title} | {having} |"
    yield "\n## Health checks and jobs\n"
    for check in registry.extensions.health_checks.values():
        yield f"- health check `{check.name}` ({check.origin.addon or 'core'})"
    for job in registry.extensions.jobs.values():
        yield f"- job `{job.name}` ({job.origin.addon or 'core'}): {job.title}, {job.interval}"
    yield "\n## Settings\n"
    owner = None
    for setting, by in _by_owner(registry.declared_settings.declared()):
        if by != owner:
            yield f"### {'Core' if by == 'myproject' else f'Add-on {by}'}\n"
            owner = by
        yield from _setting(setting)


class _Named:
    """A default value as a person would write it."""

    def __new__(cls, value: Any) -> Any:
        return super().__new__(cls) if isinstance(value, type) and value is not _EMPTY else value

    def __init__(self, value: type) -> None:
        self.value = value

    def __repr__(self) -> str:
        return self.value.__name__


def _events(cls: type) -> Iterator[type]:
    """Yield a class of events and those below it."""
    # A data class with slots is made anew, and the one that it was made from lingers.
    if getattr(sys.modules.get(cls.__module__), cls.__name__, None) is cls:
        yield cls
    for below in cls.__subclasses__():
        yield from _events(below)


def _callable(name: str, function: Any) -> Iterator[str]:
    parameters = list(inspect.signature(function).parameters.values())[1:]
    parameters = [p.replace(default=_Named(p.default)) for p in parameters]
    signature = inspect.Signature([p.replace(annotation=_EMPTY) for p in parameters])
    yield f"### {name}\n"
    yield f"```python\nconfig.{name}{signature}\n```\n"
    yield from _docstring(inspect.getdoc(function) or "")


def _class(cls: type) -> Iterator[str]:
    yield f"### {cls.__name__}\n"
    yield f"`{cls.__module__}.{cls.__name__}`\n"
    yield from _docstring(inspect.getdoc(cls) or "")


def _docstring(text: str) -> Iterator[str]:
    """Yield a docstring in Markdown."""
    body, _, fields = text.partition("\n:")
    # What is indented after a "::" is an example, its empty lines included.
    for part in re.split(r"\n\n(?=\S)", body.strip()):
        paragraph, _, example = part.partition("\n\n")
        words = " ".join(paragraph.split()).removesuffix("::")
        if words != "Example":
            yield _plain(words) + (":\n" if example else "\n")
        if example:
            yield f"```python\n{inspect.cleandoc(example)}\n```\n"
    items = list(_fields(":" + fields)) if fields else []
    if items:
        yield "\n".join(items) + "\n"


def _fields(text: str) -> Iterator[str]:
    for field in re.split(r"\n(?=:)", text):
        kind, name, what = _FIELD.fullmatch(" ".join(field.split())).groups()  # type: ignore[union-attr]
        match kind:
            case "raises":
                yield f"- raises `{name.rpartition('.')[2]}` {_plain(what)}"
            case "returns":
                yield f"- returns {_plain(what)}"
            case _:
                yield f"- `{name}`: {_plain(what)}"


def _plain(text: str) -> str:
    text = _ROLE.sub(lambda match: f"`{match[1]}`", text)
    return text.replace("``", "`")


def _by_owner(settings: Iterable[tuple[Setting, str]]) -> list[tuple[Setting, str]]:
    return sorted(settings, key=lambda pair: (pair[1] != "myproject", pair[1], pair[0].key))


def _setting(setting: Setting) -> Iterator[str]:
    expected = expectation(setting.type)
    facts = [expected or ""]
    if setting.required:
        facts.append("required")
    elif setting.default not in (None, "", (), {}):
        facts.append(f"default `{_default(setting.default)}`")
    if setting.secret:
        facts.append(f"secret: a file may hold it, `{setting.file_key}`")
    yield f"#### {setting.key}\n"
    yield setting.help + "\n"
    if any(facts):
        yield (
            "; ".join(filter(None, facts))[:1].upper() + "; ".join(filter(None, facts))[1:] + ".\n"
        )


def _default(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | list | set | frozenset):
        return ", ".join(map(str, value))
    return str(value)
