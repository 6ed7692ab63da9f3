"""Addresses of nodes: quoted once and for all, seen below a virtual root, many at a time."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyramid.interfaces import VH_ROOT_KEY, IResourceURL
from pyramid.traversal import find_resource, resource_path
from zope.interface.verify import verifyObject

from myproject.tree.names import check_name, problem_with
from myproject.tree.node import DRAFT
from myproject.tree.urls import NodeURL, join_path, path_of, paths_of, quote_segment
from myproject.tree.visibility import EVERYTHING, PUBLISHED_ONLY
from myproject.views.request import Request


@pytest.fixture
def nodes(tree, plant, root):
    shape = {
        "cms": {"docs": {"install": {}}},
        "cmsx": {"docs": {}},
        "über uns": {"50%": {"a&b=c;d": {}}},
    }
    return {"": root} | plant(tree, shape)


@pytest.fixture
def request_under(traversing):
    """``request_under("/cms")``: a request whose virtual root is given in the header."""

    def make(vroot=None, **attributes):
        request = Request.blank("/")
        request.registry = traversing.registry
        if vroot is not None:
            request.environ[VH_ROOT_KEY] = vroot.encode().decode("latin-1")
        for name, value in attributes.items():
            setattr(request, name, value)
        return request

    return make


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("", "http://localhost/"),
        ("cms", "http://localhost/cms"),
        ("cms/docs/install", "http://localhost/cms/docs/install"),
        ("über uns/50%/a&b=c;d", "http://localhost/%C3%BCber%20uns/50%25/a&b=c;d"),
    ],
)
def test_a_node_has_one_address_without_a_slash_at_its_end(nodes, request_under, path, url):
    assert request_under().resource_url(nodes[path]) == url
    assert path_of(nodes[path]) == url.removeprefix("http://localhost")


@pytest.mark.parametrize(
    ("path", "url"),
    [("", "http://localhost/@@edit"), ("cms/docs", "http://localhost/cms/docs/@@edit")],
)
def test_a_view_comes_behind_its_node(nodes, request_under, path, url):
    assert request_under().resource_url(nodes[path], "@@edit") == url


def test_a_view_of_the_virtual_root_comes_behind_one_slash(nodes, request_under):
    assert request_under("/cms").resource_url(nodes["cms"], "@@edit") == "http://localhost/@@edit"


@pytest.mark.parametrize(
    ("vroot", "path", "expected"),
    [
        ("/cms", "cms", "/"),
        ("/cms", "cms/docs", "/docs"),
        ("/cms/", "cms/docs", "/docs"),
        ("cms", "cms/docs", "/docs"),
        ("/cms/docs", "cms/docs/install", "/install"),
        ("/cms", "cmsx", "/cmsx"),
        ("/cms", "cmsx/docs", "/cmsx/docs"),
        ("/cms/docs", "cms", "/cms"),
        ("/cms", "", "/"),
        ("/über uns", "über uns/50%", "/50%25"),
        ("/", "cms/docs", "/cms/docs"),
        ("", "cms/docs", "/cms/docs"),
    ],
)
def test_a_virtual_root_is_trimmed_from_what_lies_below_it(
    nodes, request_under, vroot, path, expected
):
    url = NodeURL(nodes[path], request_under(vroot))
    assert url.virtual_path == expected
    assert url.physical_path == path_of(nodes[path])
    assert url.virtual_path_tuple == ("", *[p for p in unquote(expected).split("/") if p])
    assert url.physical_path_tuple == ("", *[p for p in path.split("/") if p])


def test_what_traversal_found_goes_before_the_header(nodes, request_under):
    request = request_under("/cms", virtual_root_path=("cmsx",))
    assert NodeURL(nodes["cmsx/docs"], request).virtual_path == "/docs"


def test_the_adapter_keeps_pyramids_contract(nodes, request_under):
    assert verifyObject(IResourceURL, NodeURL(nodes["cms"], request_under()))


UNRESERVED_AND_ALLOWED = "-._~!$&'()*+,;=:@"


@given(st.text(min_size=1, max_size=30))
def test_a_segment_is_quoted_no_more_than_it_must_be(name):
    # RFC 3986, section 3.3: pchar = unreserved / pct-encoded / sub-delims / ":" / "@".
    name = "".join(c for c in name if not "\ud800" <= c <= "\udfff")
    quoted = quote_segment(name)
    assert unquote(quoted) == name
    for character in name:
        plain = character.isascii() and (character.isalnum() or character in UNRESERVED_AND_ALLOWED)
        assert (quote_segment(character) == character) == plain


@given(st.lists(st.text(min_size=1, max_size=8).filter(lambda n: not problem_with(n)), max_size=4))
def test_a_joined_path_can_be_taken_apart_again(names):
    path = join_path(names)
    assert path.startswith("/")
    assert [unquote(part) for part in path[1:].split("/") if part] == names


def test_the_path_of_every_possible_name_leads_back(tree, root, plant, traversing):
    for name in [
        "50%",
        "a b",
        "a?b",
        "a#b",
        "a:b",
        "ünï",
        "中文",
        "'",
        '"',
        "a+b",
        "%2F",
        "@",
        "~",
    ]:
        node = plant(tree, {check_name(name): {}})[name]
        assert find_resource(root, resource_path(node)) is node
        assert find_resource(root, path_of(node)) is node


def test_paths_of_many_nodes_take_one_statement(tree, nodes, shared, count_statements):
    ids = {node.id: tuple(path.split("/")) if path else () for path, node in nodes.items()}
    with count_statements(shared) as statements:
        assert paths_of(tree.session, ids, PUBLISHED_ONLY) == ids
    assert len(statements) == 1
    assert paths_of(tree.session, [], PUBLISHED_ONLY) == {}
    assert paths_of(tree.session, [999_999], PUBLISHED_ONLY) == {}


def test_paths_of_drafts_and_of_what_lies_below_them_are_hidden(tree, nodes):
    nodes["cms/docs"].state = DRAFT
    tree.session.flush()
    ids = [nodes[path].id for path in ("cms", "cms/docs", "cms/docs/install", "cmsx")]
    hidden = paths_of(tree.session, ids, PUBLISHED_ONLY)
    assert sorted(hidden.values()) == [("cms",), ("cmsx",)]
    assert sorted(paths_of(tree.session, ids, EVERYTHING).values()) == [
        ("cms",),
        ("cms", "docs"),
        ("cms", "docs", "install"),
        ("cmsx",),
    ]
