"""The outermost layer: a request's id, its line in the log, headers that every response carries.

It lies around the attempts that a request may take, so there is one id and one line for all of
them, and no error gets past it. What nobody may forge is settled here, before anything is read.
"""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from pyramid.config import PHASE3_CONFIG, Configurator
from pyramid.interfaces import IExecutionPolicy
from pyramid.registry import Registry
from pyramid.request import Request
from pyramid.response import Response

from myproject.registry import registry_of
from myproject.views.headers import security_headers
from myproject.views.proxies import environ_key, refusal, settler
from myproject.views.request import REQUEST_ID

log = logging.getLogger(__name__)
access_log = logging.getLogger("myproject.access")

_WELL_FORMED_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

Policy = Callable[[dict[str, Any], Any], Response]


def access_policy(inner: Policy, registry: Registry) -> Policy:
    """Return an execution policy (:class:`pyramid.interfaces.IExecutionPolicy`) around *inner*."""
    id_header = registry.settings["myproject.request_id_header"]
    id_key = environ_key(id_header) if id_header else None
    settle, secure = settler(registry.settings), security_headers(registry.settings)

    def policy(environ: dict[str, Any], router: Any) -> Response:
        started = time.perf_counter()
        problem = settle(environ)
        sent = environ.get(id_key, "") if id_key else ""
        request_id = sent if _WELL_FORMED_ID.fullmatch(sent) else secrets.token_hex(8)
        environ[REQUEST_ID] = request_id
        try:
            if problem is None:
                response = inner(environ, router)
            else:
                response = refusal(problem, environ, router)
            if response.conditional_response:
                # Otherwise it is only when the server asks for it that it turns into a 304.
                response = Request(environ).get_response(response)
        except Exception:
            # Not even the page for errors could be made.
            log.exception("Request %s failed", request_id)
            text = f"Internal server error\n\n{request_id}\n"
            response = Response(text, 500, content_type="text/plain")
        response.headers["X-Request-ID"] = request_id
        secure(environ, response)
        if access_log.isEnabledFor(logging.INFO):
            access_log.info(
                "%s %s %d %.1f ms %s",
                printable(environ["REQUEST_METHOD"]),
                printable_path(environ),
                response.status_int,
                (time.perf_counter() - started) * 1000,
                request_id,
            )
        return response

    return policy


def printable_path(environ: dict[str, Any]) -> str:
    """Return the request's path in printable ASCII; whatever a client sends stays on one line."""
    return printable(environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", ""))


def printable(text: str) -> str:
    """Return *text*, decoded as WSGI does, as one word of printable ASCII."""
    return quote(text.encode("latin-1", "replace"), safe="/-._~!$&'()*+,;=:@")


def includeme(config: Configurator) -> None:
    """Put the policy around the one that tries again."""
    registry = registry_of(config)

    def wrap() -> None:
        inner = registry.getUtility(IExecutionPolicy)
        registry.registerUtility(access_policy(inner, registry), IExecutionPolicy)

    # Later than the policy within is set.
    config.action(None, wrap, order=PHASE3_CONFIG + 1)
