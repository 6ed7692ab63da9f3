"""The config directives: the contract between the core and its add-ons, ours included.

``config.include("myproject.extend")`` makes them available; the application has done so before an
add-on's ``includeme`` runs. Directives are deferred, conflict-aware and introspectable. Settings
are declared at once, because an ``includeme`` needs their values.

What they register is in ``points``; which add-ons there are, and including them, in ``switching``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pyramid.config import Configurator

from myproject.content.markup.rules import MarkupRules
from myproject.content.registry import ContentTypes
from myproject.content.workflow import Workflows
from myproject.extend import access, content, operating, screens
from myproject.extend.points import Extensions
from myproject.interfaces import IContentTypes
from myproject.registry import registry_of

DIRECTIVES: Mapping[str, Callable[..., Any]] = {
    directive.__name__: directive
    for directive in (
        content.add_content_type,
        content.add_workflow,
        content.add_field_widget,
        content.add_markdown_plugin,
        content.add_sanitizer_rule,
        screens.add_slot_panel,
        screens.add_toolbar_action,
        screens.add_bulk_action,
        screens.add_tab,
        screens.add_template_override,
        screens.add_static_bundle,
        access.add_permission,
        access.add_role,
        access.grant,
        operating.add_settings,
        operating.add_migrations,
        operating.add_cli_command,
        operating.add_health_check,
        operating.add_job,
        operating.add_service,
        operating.add_event_subscriber,
    )
}


def includeme(config: Configurator) -> None:
    """Make the directives available."""
    registry = registry_of(config)
    registry.extensions = Extensions()
    registry.markup_rules = MarkupRules()
    registry.workflows = Workflows()
    registry.registerUtility(ContentTypes(), IContentTypes)
    for name, directive in DIRECTIVES.items():
        # Those that Pyramid has a method for are methods of our configurator.
        if not hasattr(type(config), name):
            config.add_directive(name, directive)
