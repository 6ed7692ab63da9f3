"""The last steps of the configuration, when every include has had its say."""

from pyramid.config import Configurator
from pyramid.interfaces import IRoutesMapper

from myproject.content import make_renderer
from myproject.interfaces import IMarkdownRenderer, IRoles
from myproject.registry import registry_of
from myproject.tree.traversal import VIEW_SELECTOR
from myproject.views.overrides import override_templates
from myproject.views.request import freeze_request_class


def reserved_names(config: Configurator) -> frozenset[str]:
    """Return the first segments of all routes: no child of the root may take one of them.

    Those that begin with ``@@`` are nobody's name anyway.
    """
    mapper = registry_of(config).queryUtility(IRoutesMapper)
    routes = mapper.get_routes(include_static=True) if mapper else ()
    firsts = {route.pattern.strip("/").partition("/")[0] for route in routes}
    taken = (first for first in firsts if first and "{" not in first and "*" not in first)
    return frozenset(first for first in taken if not first.startswith(VIEW_SELECTOR))


def includeme(config: Configurator) -> None:
    """Compute what depends on everything that was configured."""
    registry = registry_of(config)
    registry.reserved_names = reserved_names(config)
    registry.registerUtility(make_renderer(registry.markup_rules), IMarkdownRenderer)
    registry.templates = override_templates(config, registry.extensions.overrides)
    # The operator has the last word on roles, those of add-ons included.
    registry.getUtility(IRoles).extend(registry.declared_settings["myproject.roles"])
    freeze_request_class(registry)
