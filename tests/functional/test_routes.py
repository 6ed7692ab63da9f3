"""An add-on's own addresses: routes win over content, and content's rules do not bind them."""

from pyramid.response import Response

from myproject.tree.node import Node


def include(config):
    def where(request):
        return Response(f"{request.matched_route.name} {request.context!r} {request.subpath}")

    config.add_route("feed", "/feed")
    config.add_route("api", "/api/*traverse")
    config.add_route("files", "/files/*subpath")
    for name in ("feed", "api", "files"):
        config.add_view(where, route_name=name)
    config.add_route("typed", "/typed/*traverse")
    config.add_view(where, route_name="typed", context=Node)


def test_a_route_is_answered_where_it_is(make_site, fetch):
    site = make_site(include)
    assert fetch(site, "/feed").text.startswith("feed")
    assert fetch(site, "/feed?x=1").status_int == 200


def test_a_route_over_the_tree_is_not_sent_to_the_page(make_site, fetch):
    site = make_site(include)
    site.add("/docs")
    for name in ("api", "typed"):
        response = fetch(site, f"/{name}/docs")
        assert (response.status_int, "'docs'" in response.text) == (200, True)


def test_a_route_may_take_a_subpath(make_site, fetch):
    response = fetch(make_site(include), "/files/a/b.txt")
    assert response.status_int == 200
    assert "('a', 'b.txt')" in response


def test_drafts_are_not_there_for_routes_either(make_site, fetch):
    site = make_site(include)
    site.add("/secret", title="Hush", state="draft")
    response = fetch(site, "/typed/secret")
    assert response.status_int == 404
    assert "Hush" not in response
