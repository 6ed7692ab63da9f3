"""What add-ons have registered, as plain values: the rooms above read it, the directives fill it.

Each application has its own :class:`Extensions`; in Pyramid's introspector the same things are
found by category.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import click


class Origin(NamedTuple):
    """Where something was registered.

    :ivar addon: the add-on as ``myproject.addons`` names it; empty for the core.
    :ivar file, line: the call of the directive.
    """

    addon: str
    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.addon or 'the core'} ({self.file}, line {self.line})"


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of a page that an add-on puts into a slot.

    :ivar panel: ``(context, request)`` -> values for the renderer, or text, Markup, None.
    :ivar renderer: asset spec of a template; empty where the panel returns what is shown.
    :ivar context: class of the nodes it is for; None for all pages.
    :ivar permission: shown only to those who have it at the context; None for everybody.
    """

    name: str
    slot: str
    panel: Callable[[Any, Any], Any]
    renderer: str
    context: type | None
    permission: str | None
    order: int
    origin: Origin


@dataclass(frozen=True, slots=True)
class MenuItem:
    """A link to a screen, for those who may open it.

    :ivar group: ``actions`` and ``page`` (both in the bar of a page), ``records`` (tabs of what
        happens to pages), or ``site`` (tabs of the site's screens).
    :ivar view: name of the view that it leads to.
    :ivar context: class of the nodes that have it; None for a screen of the whole site.
    :ivar prominent: whether it stands in the bar itself, not in its menu.
    :ivar shortcut: the key that leads there; empty for none.
    """

    name: str
    title: Any
    group: str
    view: str
    permission: str
    context: type | None
    order: int
    origin: Origin
    prominent: bool = False
    shortcut: str = ""


@dataclass(frozen=True, slots=True)
class BulkAction:
    """Something that is done with many nodes at once.

    :ivar view: name of the view that their ids are posted to, on the place that they are in.
    :ivar field: name and value of what is posted besides; empty for nothing.
    """

    name: str
    title: Any
    view: str
    permission: str
    order: int
    field: tuple[str, str]
    origin: Origin


@dataclass(frozen=True, slots=True)
class Bundle:
    """A folder of static files.

    :ivar folder: its asset spec, with a slash at the end.
    :ivar styles, scripts: those of its files that every page loads.
    """

    name: str
    folder: str
    styles: tuple[str, ...]
    scripts: tuple[str, ...]
    origin: Origin


@dataclass(frozen=True, slots=True)
class Branch:
    """The migrations of an add-on.

    :ivar name: the label of the branch, with which the ids of its revisions begin.
    """

    name: str
    folder: Path
    addon: str


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """Something that has to work; *check* gets a scope and raises if it does not."""

    name: str
    check: Callable[[Any], object]
    origin: Origin


@dataclass(frozen=True, slots=True)
class Job:
    """Work that is done now and then, outside of requests.

    :ivar job: gets a writing scope, returns what was done in a few words, or None.
    :ivar every: how often ``myproject job due`` does it; None for only when it is asked for.
    """

    name: str
    title: Any
    job: Callable[[Any], str | None]
    every: timedelta | None
    origin: Origin

    @property
    def interval(self) -> str:
        """How often it is due, in words."""
        if self.every is None:
            return "when asked for"
        left, words = int(self.every.total_seconds()), []
        for unit, seconds in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
            count, left = divmod(left, seconds)
            if count:
                words.append(f"{count} {unit}s" if count > 1 else unit)
        return f"every {' '.join(words)}"


@dataclass(frozen=True, slots=True)
class Widget:
    """How a field is shown in a form.

    :ivar template: asset spec; gets ``field``, ``value``, ``id`` and ``error``.
    :ivar types: Python types of fields that have it when their column names no other.
    """

    name: str
    template: str
    types: tuple[type, ...]
    origin: Origin


#: In front of the asset spec of a template: what is there without any override.
ORIGINAL = "original:"


@dataclass(frozen=True, slots=True)
class Override:
    """A template that takes the place of another one."""

    template: str
    by: str
    origin: Origin


@dataclass
class Extensions:
    """Everything that was registered with one application."""

    panels: dict[str, list[Panel]] = field(default_factory=dict)
    menus: dict[str, list[MenuItem]] = field(default_factory=dict)
    bulk_actions: list[BulkAction] = field(default_factory=list)
    bundles: dict[str, Bundle] = field(default_factory=dict)
    branches: dict[str, Branch] = field(default_factory=dict)
    health_checks: dict[str, HealthCheck] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    widgets: dict[str, Widget] = field(default_factory=dict)
    overrides: dict[str, Override] = field(default_factory=dict)
    commands: dict[str, click.Command] = field(default_factory=dict)
    services: dict[tuple[Any, str], Callable[[Any], Any]] = field(default_factory=dict)

    def add_panel(self, panel: Panel) -> None:
        """Put a panel into its slot, in order."""
        panels = self.panels.setdefault(panel.slot, [])
        panels[:] = _ordered([*(p for p in panels if p.name != panel.name), panel])

    def add_menu_item(self, item: MenuItem) -> None:
        """Put a link into its menu, in order."""
        items = self.menus.setdefault(item.group, [])
        items[:] = _ordered([*(i for i in items if i.name != item.name), item])

    def add_bulk_action(self, action: BulkAction) -> None:
        """Put an action among those of lists, in order."""
        rest = [item for item in self.bulk_actions if item.name != action.name]
        self.bulk_actions = _ordered([*rest, action])

    def styles(self) -> Iterator[str]:
        """Yield what every page links to as style sheets, as ``bundle:path``."""
        for bundle in self.bundles.values():
            yield from (f"{bundle.name}:{path}" for path in bundle.styles)

    def scripts(self) -> Iterator[str]:
        """Yield the same for scripts."""
        for bundle in self.bundles.values():
            yield from (f"{bundle.name}:{path}" for path in bundle.scripts)

    def migrations(self) -> Sequence[Branch]:
        """Return the branches in the order in which they are upgraded."""
        return tuple(self.branches.values())

    def widget_of(self, name: str | None, kind: type) -> Widget | None:
        """Return the widget called *name*, or else the one for fields of a Python type."""
        if name is not None:
            return self.widgets.get(name)
        return next((item for item in self.widgets.values() if kind in item.types), None)


def _ordered(items: list[Any]) -> list[Any]:
    return sorted(items, key=lambda item: (item.order, item.name))


#: Slots of the templates -> where they are.
SLOTS: Mapping[str, str] = {
    "head": "in <head>, after the style sheets",
    "tools": "in the masthead, before the account",
    "aside": "beside the content, below the navigation",
    "before-content": "in the article, before its text",
    "after-content": "in the article, after its text and the list of what is below it",
    "footer": "at the end of the page",
}
