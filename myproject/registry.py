"""What one application keeps for its whole life, in one place and typed.

Two applications in one process have two registries; nothing of this lives in a module.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, cast

from pyramid.config import Configurator
from pyramid.registry import Registry

from myproject.settings import Settings


class SiteRegistry(Registry):
    """Pyramid's registry with the attributes that our rooms set while they are included."""

    #: Every declared setting with its value and where that came from.
    declared_settings: Settings
    #: The engines and session factories, :class:`myproject.db.engine.Database`.
    database: Any
    #: Grants and what follows from them, :class:`myproject.security.access.PolicyCache`.
    policies: Any
    #: Counts how often redirects are followed, :class:`myproject.tree.hits.Hits`.
    redirect_hits: Any
    #: Hashes passwords, :class:`myproject.security.passwords.Passwords`.
    passwords: Any
    #: Name of the session's cookie.
    session_cookie: str
    #: Counts attempts to sign in, :class:`myproject.security.limits.SignInLimits`.
    sign_in_limits: Any
    #: First segments of routes, :class:`myproject.tree.names.ReservedNames`.
    reserved_names: Any
    #: ``(request, name) -> URL`` of our own static files.
    static_urls: Callable[[Any, str], str]
    #: ``request -> messages`` in the request's language.
    messages: Callable[[Any], Mapping[str, str]]
    #: Languages that the screens can be in: name of the locale -> what it calls itself.
    languages: Mapping[str, str] = MappingProxyType({})
    #: What directives have registered, :class:`myproject.extend.points.Extensions`.
    extensions: Any
    #: The add-ons that are on, in order, :class:`myproject.extend.switching.Addon`.
    addons: Any = ()
    #: Name of the add-on that is being included; empty while the core is.
    including: str = ""
    #: Names of views that are posted to because of the size of what they read, and write nothing.
    reading_posts: frozenset[str] = frozenset()
    #: View name -> how a form that could not be taken is shown again,
    #: :class:`myproject.views.keeping.KeptForm`.
    kept_forms: Mapping[str, Any] = {}
    #: Signs what says that a form is one of ours, see :mod:`myproject.security.seals`.
    seal_key: bytes
    #: The environment of all templates, :class:`jinja2.Environment`; it loads by asset spec.
    templates: Any
    #: The site outside of requests, :class:`myproject.scope.Scopes`.
    scopes: Any
    #: The ways of content to readers, :class:`myproject.content.workflow.Workflows`.
    workflows: Any
    #: What add-ons add to Markdown, :class:`myproject.content.markup.rules.MarkupRules`.
    markup_rules: Any
    #: Short hash of what shapes every page besides content.
    fingerprint: str


def registry_of(config: Configurator) -> SiteRegistry:
    """Return the registry of the application that *config* configures."""
    return cast(SiteRegistry, config.registry)
