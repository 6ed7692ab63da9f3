"""Directives about content: types, fields, Markdown and what survives in a page."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from markdown_it import MarkdownIt
from pyramid.config import PHASE2_CONFIG, Configurator

from myproject.content.markup.rules import MarkupRules
from myproject.content.registry import ContentType, ContentTypes
from myproject.content.workflow import Workflow, checked_permissions
from myproject.exceptions import ConfigurationProblem
from myproject.extend.points import Widget
from myproject.extend.registering import existing_asset, extensions_of, origin_of, register
from myproject.interfaces import IContentTypes, IRoles
from myproject.registry import registry_of
from myproject.tree.node import Node

#: Category under which content types are found in Pyramid's introspector.
CONTENT_TYPES = "content types"


def add_content_type(
    config: Configurator,
    cls: type[Node],
    title: Any,
    *,
    description: Any = "",
    addable_in: Iterable[str] | None = None,
    permission: str = "add",
    incomplete_drafts: bool = False,
) -> None:
    """Register a content type.

    Example::

        config.add_content_type(Product, "Product", addable_in=["folder"])

    :param cls: a mapped class below :class:`myproject.content.types.Content`; its polymorphic
        identity is the type's name.
    :param title: what a person calls it; a translation string where it is translated.
    :param description: one sentence for somebody who chooses among types.
    :param addable_in: names of the types it may be added to; everywhere when left out.
    :param permission: what adding one takes.
    :param incomplete_drafts: whether a draft may be saved while required fields are empty, as far
        as their columns can hold that: nullable ones, and texts. Publishing asks for all of them.
    :raises pyramid.exceptions.ConfigurationConflictError: when two includes claim one name.
    :raises myproject.exceptions.ConfigurationProblem: when another class has the name, or a
        column could not be written to a file.
    """
    types: ContentTypes = registry_of(config).getUtility(IContentTypes)
    content_type = ContentType(
        name=str(cls.__mapper__.polymorphic_identity),
        cls=cls,
        title=title,
        description=description,
        addable_in=None if addable_in is None else frozenset(addable_in),
        permission=permission,
        addon=registry_of(config).including,
        incomplete_drafts=incomplete_drafts,
    )
    register(
        config, CONTENT_TYPES, content_type.name, content_type, lambda: types.add(content_type)
    )


def add_workflow(
    config: Configurator, workflow: Workflow, *, types: Iterable[str] | None = None
) -> None:
    """Have content go through a workflow on its way to readers.

    Example::

        config.add_workflow(
            Workflow(
                "translation",
                "Translation",
                [State("draft", "Draft"), State("in-translation", "In translation"),
                 State("published", "Published")],
                [
                    Transition("translate", "Have it translated", frozenset({"draft"}),
                               "in-translation", "edit", Comment.OPTIONAL),
                    Transition("publish", "Publish", frozenset({"draft", "in-translation"}),
                               "published", "publish"),
                    Transition("back", "Back to draft", frozenset({"in-translation"}), "draft",
                               "edit"),
                    Transition("unpublish", "Unpublish", frozenset({"published"}), "draft",
                               "publish"),
                ],
            ),
            types=["page"],
        )

    What it offers is in the bar of pages and in their forms; whoever takes a transition needs its
    permission at the page, and nothing that publishes goes past it. Switched off, pages in a state
    that only it knows are drafts.

    :param workflow: see :class:`myproject.content.workflow.Workflow`.
    :param types: names of the content types; all that have no workflow of their own when left out.
    :raises pyramid.exceptions.ConfigurationConflictError: when two includes claim one type, or all.
    :raises myproject.exceptions.ConfigurationProblem: when a permission is not known.
    """
    registry = registry_of(config)

    def put(type_name: str) -> None:
        checked_permissions(workflow, registry.getUtility(IRoles).permissions)
        registry.workflows.add(workflow, type_name)

    for name in [""] if types is None else list(types):
        register(
            config,
            "workflows",
            name,
            workflow,
            partial(put, name),
            title=f"{workflow.name} ({name or 'all types'})",
            order=PHASE2_CONFIG + 1,
        )


def add_field_widget(
    config: Configurator, name: str, template: str, *, types: Iterable[type] = ()
) -> None:
    """Register the way in which a field is shown in a form.

    Example::

        config.add_field_widget("colour", "gallery:templates/colour.jinja2")

    A column asks for it with ``mapped_column(info={"widget": "colour"})``.

    :param name: what columns ask for it by; that of a widget of the core replaces it.
    :param template: asset spec of a template that writes the control, and only that. It gets
        ``field`` (:class:`myproject.content.fields.Field`), ``value`` (what was typed or is
        stored), ``id`` (of the control, for its label) and ``error`` (a sentence, or empty).
    :param types: Python types of columns that have this widget when they ask for none.
    :raises pyramid.exceptions.ConfigurationConflictError: when two includes claim one name.
    :raises myproject.exceptions.ConfigurationProblem: when there is no such template.
    """
    extensions = extensions_of(config)
    widget = Widget(name, existing_asset(config, template), tuple(types), origin_of(config))

    def put() -> None:
        # The latest first, so that an add-on's widget for a type wins over the core's.
        rest = {key: item for key, item in extensions.widgets.items() if key != name}
        extensions.widgets = {name: widget, **rest}

    register(config, "field widgets", name, widget, put)


def add_markdown_plugin(
    config: Configurator, plugin: Callable[[MarkdownIt], None], *, name: str | None = None
) -> None:
    """Add a plugin to the Markdown parser.

    Example::

        config.add_markdown_plugin(dollarmath_plugin, name="math")
        config.add_sanitizer_rule("span", classes=["math"])

    What it emits is sanitised like everything else. Pages are rendered when they are saved:
    ``myproject tree render`` renders those that are stored anew.

    :param plugin: called with the parser, as ``MarkdownIt.use`` would.
    :param name: under which it can conflict; the plugin's own name when left out.
    :raises pyramid.exceptions.ConfigurationConflictError: when two includes claim one name.
    """
    rules = _rules(config)
    key = name or getattr(plugin, "__qualname__", repr(plugin))
    register(
        config, "Markdown plugins", key, plugin, lambda: rules.plugins.__setitem__(key, plugin)
    )


def add_sanitizer_rule(
    config: Configurator, tag: str, *, attributes: Iterable[str] = (), classes: Iterable[str] = ()
) -> None:
    """Let more of a page survive the sanitiser.

    Example::

        config.add_sanitizer_rule("figure", attributes=["data-caption"], classes=["wide"])

    Rules of several includes for one tag add up.

    :param tag: name of an HTML element.
    :param attributes: of this element: ``data-``, ``aria-`` and others that describe it, none that
        can run, load, send or style something.
    :param classes: of this element.
    :raises myproject.exceptions.ConfigurationProblem: when the rule would let a page do harm.
    """
    rules = _rules(config)
    if isinstance(attributes, str) or isinstance(classes, str):
        raise ConfigurationProblem(
            f"Attributes and classes of <{tag}> are lists of names: {origin_of(config)}."
        )
    given = (frozenset(attributes), frozenset(classes))
    register(
        config,
        "sanitizer rules",
        (tag, *map(frozenset, given)),
        given,
        lambda: rules.allow(tag, *given),
        title=tag,
        unique=False,
    )


def _rules(config: Configurator) -> MarkupRules:
    return registry_of(config).markup_rules
