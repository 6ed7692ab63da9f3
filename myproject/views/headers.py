"""Headers of every response that tell browsers what not to do: sniff, frame, load, run, tell on.

What does not depend on the request is made once, at the start.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pyramid.response import Response

from myproject.views.request import CSP_NONCE

POLICY = "Content-Security-Policy"
_HTML = ("text/html", "application/xhtml+xml")

# `default-src` does not cover these.
_EVERYWHERE = ("base-uri 'none'", "frame-ancestors 'self'")

Secure = Callable[[Mapping[str, Any], Response], None]


def security_headers(settings: Mapping[str, Any]) -> Secure:
    """Return what adds the headers to a response; a view's own ones of the same name stay."""
    common = [(name.lower(), (name, value)) for name, value in _common(settings).items()]
    around_nonce = _page_policy(settings, "\0").split("\0")
    without_nonce = (POLICY, _page_policy(settings, None))
    # What is no page loads nothing, not even when it is opened like one, as an SVG picture can be.
    no_page = (POLICY, "; ".join(("default-src 'none'", "form-action 'none'", *_EVERYWHERE)))

    def secure(environ: Mapping[str, Any], response: Response) -> None:
        headers = response.headerlist
        names = {name.lower(): value for name, value in headers}
        headers.extend([header for key, header in common if key not in names])
        if response.status_int == 304:
            # Browsers replace what they have stored of a response by the headers of a 304, and
            # the page they have stored carries the nonce of its own policy: with a new one, none
            # of its scripts would run.
            response.headers.pop(POLICY, None)
        elif POLICY.lower() in names:
            pass
        elif not names.get("content-type", "").startswith(_HTML):
            headers.append(no_page)
        elif nonce := environ.get(CSP_NONCE):
            headers.append((POLICY, nonce.join(around_nonce)))
        else:
            headers.append(without_nonce)

    return secure


def _common(settings: Mapping[str, Any]) -> dict[str, str]:
    headers = {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        # For browsers that do not know frame-ancestors.
        "X-Frame-Options": "SAMEORIGIN",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    }
    seconds = int(settings["myproject.hsts"].total_seconds())
    if settings["myproject.https"] and seconds:
        headers["Strict-Transport-Security"] = f"max-age={seconds}"
    return headers


def _page_policy(settings: Mapping[str, Any], nonce: str | None) -> str:
    """Return the policy of pages, whose scripts and style elements need *nonce*.

    It allows what our templates use, and what the sanitiser lets authors write: of all that can be
    embedded, pictures from anywhere, but neither sound, nor films, nor frames.
    """
    scripts = f"'nonce-{nonce}'" if nonce else "'none'"
    styles = f"'self' 'nonce-{nonce}'" if nonce else "'self'"
    # Where readers have HTTPS, browsers fetch pictures by it, whatever their address says.
    pictures = "https:" if settings["myproject.https"] else "http: https:"
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {scripts}",
            f"style-src {styles}",
            # data: is how Bootstrap's style sheet brings its icons.
            f"img-src 'self' data: {pictures}",
            "font-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "manifest-src 'self'",
            *_EVERYWHERE,
        )
    )
