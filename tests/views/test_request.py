"""The request class, built once with what includes have added."""

import pytest
from pyramid.config import Configurator
from pyramid.interfaces import IRequestExtensions, IRequestFactory
from pyramid.request import apply_request_extensions

from myproject.views.request import REQUEST_ID, Request, freeze_request_class


@pytest.fixture
def frozen():
    """A configuration with a method, a property and a lazy one added, and its request class."""
    made = []
    config = Configurator()
    config.set_request_factory(Request)
    config.add_request_method(lambda request, x: x + 1, "plus_one")
    config.add_request_method(lambda request: "always", "always", property=True)
    config.add_request_method(lambda request: made.append(1) or "once", "once", reify=True)
    config.commit()
    freeze_request_class(config.registry)
    return config.registry, config.registry.getUtility(IRequestFactory), made


def test_what_was_added_is_on_the_class(frozen):
    _, factory, made = frozen
    request = factory.blank("/")
    assert isinstance(request, Request)
    assert (request.plus_one(1), request.always, request.once, request.once) == (
        2,
        "always",
        "once",
        "once",
    )
    assert made == [1]


def test_no_class_is_made_for_a_request(frozen):
    registry, factory, _ = frozen
    request = factory.blank("/")
    request.registry = registry
    apply_request_extensions(request)
    assert type(request) is factory
    extensions = registry.getUtility(IRequestExtensions)
    assert not extensions.methods
    assert not extensions.descriptors


def test_the_base_class_is_left_as_it_was(frozen):
    assert not hasattr(Request, "plus_one")


def test_without_additions_nothing_happens():
    config = Configurator()
    freeze_request_class(config.registry)
    assert config.registry.queryUtility(IRequestFactory) is None


def test_an_add_on_can_replace_what_the_request_has():
    config = Configurator()
    config.set_request_factory(Request)
    config.add_request_method(lambda request: "mine", "id", property=True)
    config.commit()
    freeze_request_class(config.registry)
    assert config.registry.getUtility(IRequestFactory).blank("/").id == "mine"


def test_the_id_is_that_of_the_environment_or_made_once():
    assert Request.blank("/", {REQUEST_ID: "given"}).id == "given"
    request = Request.blank("/")
    assert request.id == request.id == request.environ[REQUEST_ID]


@pytest.mark.parametrize(
    ("script_name", "mount"),
    [("", ""), ("/cms", "/cms"), ("/a b", "/a%20b"), ("/\xc3\xa9", "/%C3%A9"), ("/\xff", "/%FF")],
)
def test_the_mount_point_is_a_url_path(script_name, mount):
    assert Request.blank("/", {"SCRIPT_NAME": script_name}).mount == mount


def test_addresses_outside_of_the_virtual_root_are_none():
    request = Request.blank("/")
    request.virtual_root_path = ("a", "b")
    assert request.path_url_of(("a", "b")) == "/"
    assert request.path_url_of(("a", "b", "c d")) == "/c%20d"
    assert request.path_url_of(("a",)) is None
    assert request.path_url_of(("a", "bc")) is None
