"""The last steps of the configuration, when every include has had its say."""

import re

from pyramid.config import Configurator
from pyramid.interfaces import IRoutesMapper

from myproject.content import make_renderer
from myproject.interfaces import IMarkdownRenderer, IRoles
from myproject.registry import registry_of
from myproject.tree.names import ReservedNames
from myproject.tree.traversal import VIEW_SELECTOR
from myproject.views.overrides import override_templates
from myproject.views.request import freeze_request_class

#: A part of a route's pattern that stands for anything, or for what an expression matches.
_PLACEHOLDER = re.compile(r"\{[^:{}]+(?::((?:[^{}]|\{[^{}]*\})*))?\}")


def reserved_names(config: Configurator) -> ReservedNames:
    """Return the first segments of all routes: no child of the root may take one of them.

    Those that begin with ``@@`` are nobody's name anyway, and one that is nothing but a
    placeholder would leave no name at all.
    """
    mapper = registry_of(config).queryUtility(IRoutesMapper)
    routes = mapper.get_routes(include_static=True) if mapper else ()
    firsts = {_first_segment(route.pattern) for route in routes}
    firsts = {first for first in firsts if first and not first.startswith((VIEW_SELECTOR, "*"))}
    names = {first for first in firsts if "{" not in first}
    patterns = {first for first in firsts - names if not _PLACEHOLDER.fullmatch(first)}
    return ReservedNames(names, map(_expression, patterns))


def _first_segment(pattern: str) -> str:
    # A placeholder's expression may have slashes of its own.
    shielded = _PLACEHOLDER.sub(lambda match: match[0].replace("/", "\0"), pattern.lstrip("/"))
    return shielded.partition("/")[0].replace("\0", "/")


def _expression(segment: str) -> re.Pattern[str]:
    """Return what matches the names that a segment with placeholders stands for."""
    parts, at = [], 0
    for match in _PLACEHOLDER.finditer(segment):
        parts += [re.escape(segment[at : match.start()]), f"(?:{match[1] or '[^/]+'})"]
        at = match.end()
    return re.compile("".join([*parts, re.escape(segment[at:])]))


def includeme(config: Configurator) -> None:
    """Compute what depends on everything that was configured."""
    registry = registry_of(config)
    registry.reserved_names = reserved_names(config)
    registry.registerUtility(make_renderer(registry.markup_rules), IMarkdownRenderer)
    registry.templates = override_templates(config, registry.extensions.overrides)
    # The operator has the last word on roles, those of add-ons included.
    registry.getUtility(IRoles).extend(registry.declared_settings["myproject.roles"])
    freeze_request_class(registry)
