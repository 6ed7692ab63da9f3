"""Which methods an address takes: the answer to OPTIONS, and what a 405 has to say."""

from __future__ import annotations

from typing import Any

from zope.interface.interfaces import IInterface


def allowed_methods(context: Any, request: Any) -> list[str]:
    """Return the methods that views take where *request* went; empty when they take all."""
    route_name = request.matched_route.name if request.matched_route else None
    methods: set[str] = set()
    for view in request.registry.introspector.get_category("views", ()):
        facts = view["introspectable"]
        place = (facts["name"] or "", facts["route_name"])
        if place == (request.view_name, route_name) and _is_for(facts["context"], context):
            methods.update(_as_tuple(facts["request_methods"]))
    if "GET" in methods:
        methods.add("HEAD")
    return sorted(methods)


def _is_for(wanted: Any, context: Any) -> bool:
    if wanted is None:
        return True
    if IInterface.providedBy(wanted):
        return wanted.providedBy(context)
    return isinstance(wanted, type) and isinstance(context, wanted)


def _as_tuple(methods: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return (methods,) if isinstance(methods, str) else methods or ()
