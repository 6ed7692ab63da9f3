"""Pyramid's configurator, with two of its methods extended.

Directives cannot have the name of a method. ``add_permission`` and ``add_settings`` are what an
add-on's author looks for, so both take what Pyramid's take, and what ours do.
"""

from __future__ import annotations

from typing import Any

from pyramid.config import Configurator
from pyramid.config.actions import action_method

from myproject.declarations import Setting
from myproject.extend import access, operating


class SiteConfigurator(Configurator):
    """The configurator that every ``includeme`` gets."""

    @action_method
    def add_permission(self, permission_name: str, title: Any = None) -> None:
        if title is not None:
            access.add_permission(self, permission_name, title)
        super().add_permission(permission_name)

    @action_method
    def add_settings(self, settings: Any = None, *more: Setting, **kw: Any) -> Any:
        if isinstance(settings, Setting):
            return operating.add_settings(self, settings, *more)
        return super().add_settings(settings, **kw)

    add_permission.__doc__ = access.add_permission.__doc__
    add_settings.__doc__ = operating.add_settings.__doc__
