"""Every view that asks for a permission refuses whoever lacks it.

The views are those that the configuration itself knows of, so a new one cannot be forgotten.
"""

import re

import pytest
from pyramid.interfaces import IExceptionResponse
from pyramid.security import NO_PERMISSION_REQUIRED
from zope.interface.interfaces import IInterface

from myproject.content.types import Folder, Link, Page
from myproject.security.permissions import SIGNED_IN, Permission
from myproject.security.sharing import INHERITING_STOPPED, Sharing
from myproject.testing import Site, sign_in
from myproject.tree.actor import COMMAND_LINE

PLACES = {Page: "/private/page", Folder: "/private/folder", Link: "/private/link"}
PUBLIC = {Page: "/public/page", Folder: "/public/folder", Link: "/public/link"}

#: Views that anybody may call: the ways to sign in, and out.
OPEN = {
    "sign_in",
    "sign_out",
    "resume",
    "reset_password",
    "one_time",
    "shared_draft",
    "alive",
    "health",
    # With an address of one's own; without it one has to be signed in.
    "activity_feed",
    "__@@static/",
}


@pytest.fixture(scope="module")
def private(shared_site):
    """A private section with a place of each type, and a person who may do nothing there."""
    site: Site = shared_site
    site.add("/private", "Hush.", title="Hush")
    site.add("/public")
    for cls, path in (*PLACES.items(), *PUBLIC.items()):
        site.add(path, cls=cls, title="Hush")
    with site.tree() as tree:
        sharing = Sharing(tree.session, site.roles, COMMAND_LINE, None)
        sharing.make(site.node(tree, "/private"), INHERITING_STOPPED)
    return site


@pytest.fixture(scope="module")
def nobody(private):
    """Somebody who is signed in and has no role anywhere."""
    return sign_in(private, "nobody")


def views_of(site):
    """Return what is known of each view that a request can reach."""
    for item in site.registry.introspector.get_category("views"):
        facts = item["introspectable"]
        context = facts["context"]
        is_error = context is IExceptionResponse or (
            isinstance(context, type) and issubclass(context, BaseException)
        )
        if not is_error:
            permissions = [
                related["permission"]["name"] if "permission" in related else related["value"]
                for related in item["related"]
                if related.category_name == "permissions"
            ]
            yield facts, permissions[0] if permissions else NO_PERMISSION_REQUIRED


def addresses_of(site, facts, places=PLACES):
    """Yield method and address of requests that lead to a view."""
    methods = facts["request_methods"] or ("GET", "POST")
    methods = (methods,) if isinstance(methods, str) else methods
    if facts["route_name"]:
        mapper = site.config.get_routes_mapper()
        pattern = mapper.get_route(facts["route_name"]).pattern
        # ``match_param="action=disable"`` says which of a route's addresses a view is for.
        name, _, value = (facts.get("match_param") or "").partition("=")
        pattern = pattern.replace(f"{{{name}}}", value)
        path = re.sub(r"\{(?:[^{}]|\{[^{}]*\})*\}", "1", pattern)
        places = ["/" + path.lstrip("/").replace("*subpath", "x")]
    else:
        context = facts["context"]
        fits = context.implementedBy if IInterface.providedBy(context) else None
        places = [
            path
            for cls, path in places.items()
            if context is None or (fits(cls) if fits else issubclass(cls, context))
        ]
        places = [f"{path}/@@{facts['name']}" if facts["name"] else path for path in places]
    return [(method, place) for method in methods for place in places]


def test_every_view_says_who_may_call_it(private):
    for facts, permission in views_of(private):
        known = {*private.roles.permissions, SIGNED_IN}
        if permission == NO_PERMISSION_REQUIRED:
            assert facts["route_name"] in OPEN, f"{facts['callable']} asks for no permission"
        else:
            assert permission in known, f"{facts['callable']} asks for {permission!r}"


def test_every_view_refuses_anonymous_visitors(private, fetch):
    tried = 0
    for facts, permission in views_of(private):
        if permission == NO_PERMISSION_REQUIRED:
            continue
        for method, address in addresses_of(private, facts):
            answer = fetch(private, address, method=method)
            where = f"{method} {address} ({facts['callable']})"
            if method in ("GET", "HEAD"):
                assert answer.status_int == 302, where
                assert "/@@sign-in" in answer.location, where
            else:
                assert answer.status_int == 403, where
            assert "Hush" not in answer, where
            tried += 1
    assert tried > 15


def test_every_view_refuses_people_without_the_permission(private, nobody):
    tried = 0
    for facts, permission in views_of(private):
        if permission in (NO_PERMISSION_REQUIRED, SIGNED_IN):
            continue
        for method, address in addresses_of(private, facts):
            answer = nobody.request(address, method=method, expect_errors=True)
            where = f"{method} {address} ({facts['callable']})"
            assert answer.status_int == 403, where
            assert "Hush" not in answer, where
            # What is missing is named; for a place that may not even be seen, that is seeing it.
            missing = permission if facts["route_name"] else Permission.VIEW
            assert f"<code>{missing}</code>" in answer, where
            tried += 1
    assert tried > 10


def test_every_view_of_a_public_page_names_the_permission_that_is_missing(private, nobody):
    for facts, permission in views_of(private):
        needs_more = permission not in (NO_PERMISSION_REQUIRED, SIGNED_IN, Permission.VIEW)
        if needs_more and not facts["route_name"]:
            for method, address in addresses_of(private, facts, PUBLIC):
                answer = nobody.request(address, method=method, status=403)
                assert f"<code>{permission}</code>" in answer


@pytest.mark.parametrize("path", ["/private", "/private/page", "/private/nope", "/private/x/y"])
def test_nothing_below_a_private_place_can_be_told_from_nothing(private, nobody, fetch, path):
    asked = fetch(private, path)
    assert (asked.status_int, asked.location) == (302, f"http://localhost/@@sign-in?next={path}")
    assert nobody.get(path, status=403).status_int == 403


def test_a_fragment_has_the_whole_page_go_to_the_way_in(private, fetch):
    answer = fetch(private, "/private/@@children", headers={"HX-Request": "true"})
    assert answer.status_int == 403
    assert answer.headers["HX-Redirect"].startswith("/@@sign-in")


def test_private_places_can_look_like_nothing(make_site, fetch, without_nonce):
    site = make_site(private_pages="not-found")
    site.add("/secret", title="Hush")
    site.add("/other", title="Other")
    with site.tree() as tree:
        sharing = Sharing(tree.session, site.roles, COMMAND_LINE, None)
        sharing.make(site.node(tree, "/secret"), INHERITING_STOPPED)
    nobody = sign_in(site, "nobody")
    for rest in ("", "/below", "/@@source", "/@@sharing"):
        hidden = without_nonce(fetch(site, f"/secret{rest}").text)
        absent = without_nonce(fetch(site, f"/sekret{rest}").text)
        assert hidden.replace("secret", "sekret") == absent
        assert nobody.get(f"/secret{rest}", status=404).status_int == 404
    # What may be seen and not done is refused all the same.
    assert nobody.get("/other/@@sharing", status=403).status_int == 403
