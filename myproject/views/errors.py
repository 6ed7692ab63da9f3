"""Error pages: what went wrong, in plain words, and a way on."""

from __future__ import annotations

import logging
from typing import Any

from pyramid.config import Configurator
from pyramid.exceptions import BadCSRFOrigin, BadCSRFToken, PredicateMismatch, URLDecodeError
from pyramid.httpexceptions import HTTPBadRequest, HTTPFound, HTTPRequestEntityTooLarge
from pyramid.i18n import TranslationStringFactory
from pyramid.renderers import render_to_response
from pyramid.response import Response
from pyramid_retry import is_error_retryable
from pyramid_tm import is_tm_active

from myproject.exceptions import InvalidValue
from myproject.interfaces import IRoles
from myproject.security.permissions import Permission
from myproject.translation import translated
from myproject.tree.node import Node
from myproject.tree.traversal import ImpossiblePath
from myproject.views.addresses import sign_in_url
from myproject.views.keeping import form_again, lost_form
from myproject.views.methods import allowed_methods
from myproject.views.moved import moved_to, new_redirect_url
from myproject.views.rendering import TEMPLATES, layout
from myproject.views.suggestions import item_of, suggestions
from myproject.views.unavailable import is_unavailable, unavailable

log = logging.getLogger(__name__)

_ = TranslationStringFactory("myproject")


def not_found(error: Any, request: Any) -> Response:
    """404, with the pages that were probably meant, or a redirect to where the page is now; 405
    where only the method is wrong.

    Below a private place the answer is that of the place itself, or one could find out from the
    difference what there is.
    """
    if (lost := lost_form(request)) is not None:
        return lost
    if (refusal := _private(request)) is not None:
        return _no_access(request, refusal)
    if is_unavailable(request):
        return unavailable(request)
    return _nothing_here(error, request)


def _nothing_here(error: Any, request: Any) -> Response:
    lineage = visible_lineage(request)
    if isinstance(error, PredicateMismatch) and len(lineage) == len(request.lineage):
        methods = allowed_methods(lineage[-1] if lineage else None, request)
        if methods and request.method not in methods:
            return _wrong_method(request, [*methods, "OPTIONS"])
    if (moved := moved_to(request, len(lineage) - 1)) is not None:
        return moved
    # A file that is not there is nobody's business.
    values = layout(request, "", account=bool(request.lineage))
    values.update(
        path=request.script_name + request.path_info,
        nearest=item_of(request, lineage) if lineage else None,
        suggestions=suggestions(request, lineage) if lineage else [],
        redirect_url=new_redirect_url(request) if lineage else None,
    )
    return _error(request, 404, "not_found", values)


def visible_lineage(request: Any) -> list[Node]:
    """Return the nodes on the way that readers may know of, from the root down."""
    lineage = list(request.lineage)
    while lineage and not _is_visible(request, lineage[-1]):
        lineage.pop()
    return lineage


def _is_visible(request: Any, node: Node) -> bool:
    known = request.content_types.get(node.type) is not None
    return known and bool(request.has_permission(Permission.VIEW, node))


def forbidden(error: Any, request: Any) -> Response:
    """403, which names what is missing; for somebody who is not signed in the way to do so.

    A draft that may not be seen looks like a page that does not exist; so do private places where
    the settings say so.
    """
    if (lost := lost_form(request)) is not None:
        return lost
    if (refusal := _private(request)) is not None:
        return _no_access(request, refusal)
    if len(visible_lineage(request)) < len(request.lineage):
        return _nothing_here(error, request)
    return _no_access(request, error.result)


def _private(request: Any) -> Any:
    """Return why the last place on the way may not be seen, if that may be told."""
    if not request.lineage or _may_be_hidden(request):
        return None
    verdict = request.has_permission(Permission.VIEW, request.lineage[-1])
    return None if verdict or getattr(verdict, "hidden", False) else verdict


def _may_be_hidden(request: Any) -> bool:
    return request.registry.settings["myproject.private_pages"] == "not-found"


def _no_access(request: Any, refusal: Any) -> Response:
    """Refuse: people who are signed in learn what they lack, others may sign in."""
    signed_in = request.signed_in is not None
    if not signed_in and request.method in ("GET", "HEAD"):
        if "HX-Request" not in request.headers:
            location = request.host_url + sign_in_url(request)
            return HTTPFound(location, headers={"Cache-Control": "no-store"})
        # A redirect would put the form into the middle of the page.
        return Response(
            status=403, headers={"HX-Redirect": sign_in_url(request), "Cache-Control": "no-store"}
        )
    permission = getattr(refusal, "permission", None)
    roles, told = request.registry.getUtility(IRoles), getattr(refusal, "msg", refusal)
    values = {
        **layout(request, ""),
        "permission": permission,
        "may": translated(request.localizer, roles.title_of(permission)) if permission else "",
        "whole_site": not request.lineage,
        "signed_in": signed_in,
        "message": "" if permission else translated(request.localizer, told),
    }
    return _error(request, 403, "forbidden", values)


def bad_token(error: Any, request: Any) -> Response:
    """400; a form that somebody has been writing in is shown again."""
    return form_again(request) or bad_request(error, request)


def too_large(error: Any, request: Any) -> Response:
    """413, without looking at what was sent."""
    return _error(request, 413, "too_large", layout(request, "", account=False))


def bad_request(error: Any, request: Any) -> Response:
    """400, without any statement."""
    if isinstance(error, URLDecodeError):
        message = _("The address is not valid UTF-8.")
    elif isinstance(error, ImpossiblePath):
        message = _("No page can have such an address.")
    elif isinstance(error, BadCSRFToken | BadCSRFOrigin):
        message = _(
            "This form has expired, or it did not come from this site. "
            "Go back, load the page again, and send it once more."
        )
    elif isinstance(error, HTTPBadRequest):
        message = error.detail or ""
    else:
        message = error.reason
    return _refuse(request, 400, message)


def internal_error(error: Exception, request: Any) -> Response:
    """500, without any statement: the database may be what failed."""
    if _is_tried_again(error, request):
        log.info("Request %s is tried again: %s", request.id, error)
    else:
        log.error("Request %s failed", request.id, exc_info=error)
    values = {**layout(request, "", account=False), "request_id": request.id}
    return _error(request, 500, "error", values)


def _is_tried_again(error: Exception, request: Any) -> bool:
    if is_error_retryable(request, error):
        return True
    # What the database's driver knows to be transient is marked only after this page was made.
    last = request.environ.get("retry.attempt", 0) + 1 >= request.environ.get("retry.attempts", 1)
    return not last and is_tm_active(request) and request.tm.get().isRetryableError(error)


def _wrong_method(request: Any, methods: list[str]) -> Response:
    allow = ("Allow", ", ".join(methods))
    if request.method == "OPTIONS":
        return Response(status=204, headerlist=[allow])
    message = _(
        "This address does not take ${method} requests.", mapping={"method": request.method}
    )
    response = _refuse(request, 405, message)
    response.headers.extend([allow])
    return response


def _refuse(request: Any, status: int, message: str) -> Response:
    values = layout(request, "", account=False)
    values.update(status=status, message=translated(request.localizer, message))
    return _error(request, status, "bad_request", values)


def _error(request: Any, status: int, template: str, values: dict[str, Any]) -> Response:
    # Validators that the failed view may have set do not belong to this page.
    response = Response()
    response.text = render_to_response(f"{TEMPLATES}{template}.jinja2", values, request).text
    response.status_int = status
    response.cache_control = "no-store"
    return response


def includeme(config: Configurator) -> None:
    """Register the error pages."""
    config.add_notfound_view(not_found)
    config.add_forbidden_view(forbidden)
    for error in (URLDecodeError, ImpossiblePath, InvalidValue, HTTPBadRequest):
        config.add_exception_view(bad_request, context=error)
    config.add_exception_view(bad_token, context=BadCSRFToken)
    config.add_exception_view(too_large, context=HTTPRequestEntityTooLarge)
    config.add_exception_view(internal_error, context=Exception)
