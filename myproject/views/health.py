"""Whether the site is alive, and whether everything it needs works: for whatever keeps it running.

What is wrong is in the log, and on the command line; here everybody may look.
"""

from __future__ import annotations

from typing import Any

from pyramid.config import Configurator
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED

from myproject.health import failures
from myproject.tree.traversal import no_root


def alive(request: Any) -> Response:
    """Answer without asking the database: the process serves requests."""
    return Response("alive\n", content_type="text/plain", cache_control="no-store")


def health(request: Any) -> Response:
    """Carry out all checks; 503 if one of them fails."""
    registry = request.registry
    failed = failures(registry.scopes)
    checks = {
        name: "failed" if name in failed else "ok" for name in registry.extensions.health_checks
    }
    body = {"status": "failed" if failed else "ok", "checks": checks}
    return Response(json_body=body, status=503 if failed else 200, cache_control="no-store")


def includeme(config: Configurator) -> None:
    """Register both addresses, open to everybody."""
    for name, view in (("alive", alive), ("health", health)):
        config.add_route(name, f"/@@{name}", factory=no_root)
        config.add_view(
            view, route_name=name, request_method="GET", permission=NO_PERMISSION_REQUIRED
        )
