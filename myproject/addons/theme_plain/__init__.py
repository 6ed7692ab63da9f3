"""A quiet look for texts: one column, serif letters, navigation at the end of the page."""

from __future__ import annotations

from pyramid.config import Configurator

#: Those of the core that look different.
TEMPLATES = ("layout", "page")


def includeme(config: Configurator) -> None:
    """Put the theme over the core's templates and style sheets."""
    for name in TEMPLATES:
        config.add_template_override(
            f"myproject:templates/{name}.jinja2",
            f"myproject.addons.theme_plain:templates/{name}.jinja2",
        )
    config.add_static_bundle(
        "theme-plain", "myproject.addons.theme_plain:static/", styles=["plain.css"]
    )
