"""What happened on the site as an Atom feed (RFC 4287), for those who may edit.

It is opened by being signed in, or by an address of one's own, which can be ended.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Sequence
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element, SubElement, tostring

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPNotFound
from pyramid.i18n import TranslationStringFactory
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED

from myproject.content.timeline import load_timeline
from myproject.db.base import EPOCH
from myproject.security.feeds import (
    end_feed_token,
    feed_owner,
    feed_token_made_at,
    make_feed_token,
)
from myproject.security.models import User
from myproject.security.permissions import SIGNED_IN
from myproject.tree.node import ROOT_ID
from myproject.tree.site import leave_revision
from myproject.tree.traversal import no_root
from myproject.views.forms import see_other, tell, text_of
from myproject.views.languages import language_tag
from myproject.views.rendering import speak
from myproject.views.timeline import Line, lines_of, watcher_of

_ = TranslationStringFactory("myproject")

MEDIA_TYPE = "application/atom+xml"
NAMESPACE = "http://www.w3.org/2005/Atom"

#: Entries of the feed.
ENTRIES = 50

#: Queue of the session with an address that is shown once.
WAITING = "feed"

_PATH = "/@@activity.atom"
#: What XML 1.0 cannot hold, however it is written.
_IMPOSSIBLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class FeedAddress(NamedTuple):
    """What the screen says of the feed.

    :ivar url: where a new address is asked for.
    :ivar made_at: when the present one was made; None where there is none.
    :ivar address: the address, the one time that it is shown.
    """

    url: str
    made_at: dt.datetime | None
    address: str


def feed_address(request: Any) -> FeedAddress:
    """Return what the screen of what happened says of the feed; one statement."""
    made_at = feed_token_made_at(request.dbsession, request.signed_in.user_id)
    waiting = request.session.pop_flash(WAITING) if request.session.peek_flash(WAITING) else []
    return FeedAddress(
        f"{request.mount}/@@activity/feed", made_at, waiting[-1] if made_at and waiting else ""
    )


def change_address(request: Any) -> Any:
    """Make an address, which ends the one before, or end it."""
    session = request.dbsession
    leave_revision(session)
    user = session.get_one(User, request.signed_in.user_id)
    if text_of(request, "do", 10) == "end":
        end_feed_token(session, user, request.actor)
        tell(request, _("The address of the feed opens nothing any more."))
    else:
        token = make_feed_token(session, user, request.actor)
        url = f"{request.canonical_host}{request.mount}{_PATH}?token={token}"
        request.session.flash(url, WAITING)
    return see_other(request, f"{request.mount}/@@activity#site-feed")


def signed_in_feed(request: Any) -> Response:
    """The feed for somebody who is signed in."""
    return _feed(request)


def addressed_feed(request: Any) -> Response:
    """The feed for whoever has the address.

    :raises HTTPNotFound: when the address is no longer good.
    """
    token = request.GET.get("token", "")
    owner = feed_owner(request.dbsession, token) if 0 < len(token) <= 100 else None
    if owner is None:
        raise HTTPNotFound(_("This address of a feed is no longer good, or never was."))
    # For the rest of this request, which shows what this person may know of and does nothing else.
    speak(request, owner)
    request.__dict__.pop("access", None)
    return _feed(request)


def _feed(request: Any) -> Response:
    found = load_timeline(request.dbsession, ROOT_ID, watcher_of(request), limit=ENTRIES)
    home = f"{request.canonical_host}{request.mount}"
    document = _document(request, home, lines_of(request, found, "/@@activity"))
    response = Response(document, content_type=MEDIA_TYPE, charset="utf-8")
    response.etag = hashlib.sha256(document).hexdigest()[:32]
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Cookie"
    response.headers["X-Robots-Tag"] = "noindex"
    response.conditional_response = True
    return response


def _document(request: Any, home: str, lines: Sequence[Line]) -> bytes:
    translate = request.localizer.translate
    root = Element("feed", {"xmlns": NAMESPACE, "xml:lang": language_tag(request.locale_name)})
    title = request.registry.settings["myproject.site_title"]
    _text(root, "id", f"{home}/@@activity")
    _text(root, "title", f"{translate(_('Activity'))} – {title}")
    _text(root, "updated", _time(lines[0].at if lines else EPOCH))
    _link(root, "alternate", f"{home}/@@activity", "text/html")
    for line in lines:
        entry = SubElement(root, "entry")
        _text(entry, "id", f"{home}/@@activity#{line.key}")
        _text(entry, "title", line.text)
        _text(entry, "updated", _time(line.at))
        _text(SubElement(entry, "author"), "name", line.actor)
        if url := line.compare or line.page:
            _link(entry, "alternate", request.canonical_host + url, "text/html")
        if said := " · ".join(filter(None, (line.changed, line.comment))):
            _text(entry, "summary", said)
        elif url is None:
            # An entry has a link or content.
            _text(entry, "content", line.text)
    return tostring(root, encoding="utf-8", xml_declaration=True)


def _text(parent: Element, name: str, text: str) -> None:
    SubElement(parent, name).text = _IMPOSSIBLE.sub("", text)


def _link(parent: Element, rel: str, url: str, media_type: str) -> None:
    SubElement(parent, "link", {"rel": rel, "type": media_type, "href": url})


def _time(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


def includeme(config: Configurator) -> None:
    """Register the feed, and what its buttons do."""
    config.add_route("activity_feed", _PATH, factory=no_root)
    config.add_route("activity_feed_address", "/@@activity/feed", factory=no_root)
    config.add_view(
        signed_in_feed, route_name="activity_feed", request_method="GET", permission=SIGNED_IN
    )
    config.add_view(
        addressed_feed,
        route_name="activity_feed",
        request_method="GET",
        request_param="token",
        permission=NO_PERMISSION_REQUIRED,
    )
    config.add_view(
        change_address,
        route_name="activity_feed_address",
        request_method="POST",
        permission=SIGNED_IN,
    )
