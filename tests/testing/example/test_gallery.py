"""The tests of an add-on's project."""

import pytest
from gallery import Wall
from zope.interface import implementer

from myproject.interfaces import IMailer
from myproject.testing import links, sqlite_only
from myproject.testing.contracts import AddonContract
from myproject.testing.replacements import MailerContract


class TestGallery(AddonContract):
    addon = "gallery"
    settings = {"gallery.pictures": "5"}
    pages = {"/rooms/north": 3}

    def fill(self, site):
        site.add("/rooms", title="Rooms")
        site.add("/rooms/north", cls=Wall, title="North", metres=4)
        return ["/rooms/north"]


def test_a_wall_says_how_many_pictures_it_has(make_site):
    site = make_site(addons="gallery", **{"gallery.pictures": "5"})
    site.add("/north", cls=Wall, title="North", metres=4)
    assert "5 pictures on 4 metres" in site.client.get("/north")


def test_a_private_wall_is_for_those_who_have_a_role_there(make_site):
    site = make_site(addons="gallery")
    site.add("/north", cls=Wall)
    site.make_private("/north")
    assert site.client.get("/north").status_int == 302
    ann = site.sign_in("ann", "reader", "/north")
    assert ann.get("/north").status_int == 200


@sqlite_only
def test_the_walls_are_counted(make_site):
    site = make_site(addons="gallery")
    site.add("/north", cls=Wall)
    assert site.run("walls").output == "1\n"


@sqlite_only
def test_a_wall_takes_few_statements(make_site):
    site = make_site(addons="gallery")
    site.add("/north", cls=Wall)
    site.client.get("/")
    with site.statements() as seen:
        site.client.get("/north")
    assert len(seen) <= 3


@sqlite_only
def test_what_an_includeme_adds(make_site):
    def include(config):
        config.add_slot_panel(lambda context, request: "Open until six", "footer", name="hours")

    site = make_site(include)
    assert "Open until six" in site.client.get("/")


@sqlite_only
def test_a_wall_is_linked_to(make_site):
    site = make_site(addons="gallery")
    site.add("/north", cls=Wall, title="North")
    assert links(site.client.get("/"))["/north"] == "North"


@implementer(IMailer)
class Letterbox:
    """Keeps what it is given."""

    is_working = True

    def __init__(self):
        self.messages = []

    def send(self, message):
        self.messages.append(message)


class TestLetterbox(MailerContract):
    @pytest.fixture
    def mailer(self):
        return Letterbox()
