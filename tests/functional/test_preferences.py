"""What people choose for themselves, and that it holds at once and for them alone."""

import datetime as dt
import re

import pytest
from sqlalchemy import select

from myproject.content.types import Page
from myproject.security.models import Preference
from myproject.testing import sign_in

PATH = "/@@account/preferences"
GERMAN = {
    "Preferences": "Einstellungen",
    "Your preferences are saved.": "Ihre Einstellungen sind gespeichert.",
    "Sign out": "Abmelden",
    "View source": "Quelltext",
    "The page does not exist": "Die Seite gibt es nicht",
}


@pytest.fixture(scope="module")
def german(make_shared_site, tmp_path_factory, write_catalog):
    """A site whose screens can be in German as well."""
    folder = tmp_path_factory.mktemp("locale")
    write_catalog(folder / "de" / "LC_MESSAGES" / "myproject.mo", GERMAN)
    # Neither of these is a catalog of the screens.
    write_catalog(folder / "fr" / "LC_MESSAGES" / "other.mo", {})
    (folder / "it").mkdir()

    def fail(context, request):
        raise RuntimeError

    def include(config):
        config.add_translation_dirs(str(folder))
        config.add_view(fail, name="fail", context=Page)

    site = make_shared_site(include)
    site.add("/page", "Text.", title="A page")
    return site


def save(client, **values):
    form = client.get(PATH).forms["site-preferences"]
    for name, value in values.items():
        form[name] = value
    return form.submit(expect_errors=True)


def test_nobody_else_gets_there(german):
    assert german.client.get(PATH, status=302).location.endswith(f"/@@sign-in?next={PATH}")


def test_the_account_leads_there_and_back(german):
    client = sign_in(german, "walker")
    screen = client.get("/@@account").click("Preferences")
    assert screen.request.path == PATH
    assert screen.click("Account", href="/@@account$").request.path == "/@@account"


def test_what_is_chosen_is_kept_and_shown(german):
    client = sign_in(german, "keeper")
    form = client.get(PATH).forms["site-preferences"]
    assert [form[name].value for name in ("language", "time_zone", "editor")] == ["", "", "rich"]
    assert form["shortcuts"].checked
    assert form["preview"].checked
    form["time_zone"], form["editor"] = "new york", "plain"
    form["shortcuts"].checked = form["preview"].checked = False
    screen = form.submit().follow()
    assert "Your preferences are saved." in screen
    form = screen.forms["site-preferences"]
    assert form["time_zone"].value == "America/New_York"
    assert form["editor"].value == "plain"
    assert not form["shortcuts"].checked
    assert not form["preview"].checked
    assert sign_in(german, "other").get(PATH).forms["site-preferences"]["shortcuts"].checked


def test_only_what_is_not_the_default_is_stored(german):
    client = sign_in(german, "sparing")
    save(client, time_zone="Europe/Berlin")
    columns = Preference.__table__.c
    with german.database.reader.connect() as connection:
        row = connection.execute(
            select(columns.language, columns.shortcuts, columns.editor, columns.preview).where(
                columns.time_zone == "Europe/Berlin"
            )
        ).one()
    assert tuple(row) == (None, None, None, None)


def test_a_zone_that_there_is_not_is_refused_and_what_was_typed_stays(german):
    client = sign_in(german, "typist")
    screen = save(client, time_zone="<Europe/Berln>", editor="plain")
    assert screen.status_int == 422
    assert "Did you mean Europe/Berlin?" in screen
    form = screen.forms["site-preferences"]
    assert form["time_zone"].value == "<Europe/Berln>"
    assert form["editor"].value == "plain"
    assert client.get(PATH).forms["site-preferences"]["editor"].value == "rich"


@pytest.mark.parametrize(
    ("field", "value"),
    [("language", "fr"), ("language", "../x"), ("editor", "vi"), ("time_zone", "x" * 5000)],
)
def test_what_no_form_of_ours_sends_is_refused(german, field, value):
    client = sign_in(german, "forger")
    token = client.get(PATH).forms["site-preferences"]["csrf_token"].value
    values = {"csrf_token": token, "editor": "rich", "language": "", "time_zone": ""}
    screen = client.post(PATH, {**values, field: value}, status=422)
    assert 'aria-invalid="true"' in screen or field == "editor"
    assert "invalid-feedback" in screen


def test_a_form_without_its_token_is_refused(german):
    sign_in(german, "forger").post(PATH, {"editor": "plain"}, status=400)


def test_languages_are_those_with_a_catalog_and_the_one_of_the_sources(german):
    options = sign_in(german, "reader").get(PATH).forms["site-preferences"]["language"].options
    assert [(value, text) for value, _, text in options] == [
        ("", "The site’s, English"),
        ("de", "Deutsch"),
        ("en", "English"),
    ]


def test_a_language_holds_at_once_and_for_one_person_alone(german):
    client, other = sign_in(german, "sprecher"), sign_in(german, "speaker")
    screen = save(client, language="de").follow()
    assert "Ihre Einstellungen sind gespeichert." in screen
    assert screen.html.html["lang"] == "de"
    page = client.get("/page")
    assert "Abmelden" in page
    assert "Quelltext" in page
    # The page itself is not in German.
    assert page.html.h1["lang"] == page.html.find(class_="prose")["lang"] == "en"
    for visitor in (other, german.client):
        page = visitor.get("/page")
        assert "View source" in page
        assert page.html.html["lang"] == "en"
        assert "lang" not in page.html.h1.attrs


def test_errors_are_in_one_s_language_where_that_takes_no_statement(german, count_statements):
    client = sign_in(german, "irrlaeufer")
    save(client, language="de")
    assert client.get("/nope", status=404).html.html["lang"] == "de"
    with count_statements(german.database) as seen:
        assert client.get("/%00", status=400).html.html["lang"] == "en"
    assert seen == []
    # Who asks was known before it failed.
    assert client.get("/page/@@fail", status=500).html.html["lang"] == "de"


def test_a_language_whose_catalog_is_gone_is_the_site_s(german, monkeypatch):
    client = sign_in(german, "verlassen")
    save(client, language="de")
    monkeypatch.setattr(german.registry, "languages", {"en": "English"})
    assert client.get("/page").html.html["lang"] == "en"
    assert client.get(PATH).forms["site-preferences"]["language"].value == ""


@pytest.mark.parametrize("path", ["/page", "/", "/page/@@source", "/page/@@children"])
def test_a_copy_from_before_is_not_confirmed(german, path):
    client = sign_in(german, "collector")
    before = client.get(path)
    again = client.get(path, headers={"If-None-Match": before.headers["ETag"]})
    assert again.status_int == 304
    present = client.get(PATH).forms["site-preferences"]["time_zone"].value
    zone = "Asia/Tokyo" if present == "UTC" else "UTC"
    # A message that still waits to be shown would be on the page.
    save(client, time_zone=zone).follow()
    after = client.get(path, headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_int == 200
    assert after.headers["ETag"] != before.headers["ETag"]
    assert "Cookie" in after.headers["Vary"]
    assert after.headers["Cache-Control"] == "private, no-cache"


def test_other_people_s_copies_stay_good(german):
    client = sign_in(german, "chooser")
    etag = german.client.get("/page").headers["ETag"]
    save(client, time_zone="Asia/Tokyo")
    german.client.get("/page", headers={"If-None-Match": etag}, status=304)


def test_whoever_chose_something_takes_no_statement_more(german, count_statements):
    client = sign_in(german, "counter")
    client.get("/page")
    with count_statements(german.database) as before:
        client.get("/page")
    save(client, time_zone="Asia/Tokyo", language="de")
    with count_statements(german.database) as after:
        client.get("/page")
    assert len(after) == len(before)
    with count_statements(german.database) as seen:
        client.get(PATH)
    # The login, and what everybody may do is in memory from then on but for its revision.
    assert len(seen) <= 2


def test_times_are_in_the_zone_of_whoever_looks(german):
    client = sign_in(german, "clock")
    given = re.compile(r'<time datetime="(\S+?)T(\d\d):(\d\d)\S*" title="[^"]* (\w+)">\S+ (\d\d):')
    hour, _, zone, shown = given.search(client.get("/@@account").text).groups()[1:]
    assert (zone, shown) == ("UTC", hour)
    save(client, time_zone="Asia/Tokyo")
    screen = client.get("/@@account")
    hour, _, zone, shown = given.search(screen.text).groups()[1:]
    assert (zone, int(shown)) == ("JST", (int(hour) + 9) % 24)
    assert screen.html.find("a", string="Asia/Tokyo")["href"].startswith(PATH)


def test_days_of_the_audit_are_those_of_whoever_asks(german):
    client = sign_in(german, "keeper-of-records", "administrator")
    save(client, time_zone="Pacific/Kiritimati")
    today = re.search(r"datetime=.*?>(\d{4}-\d\d-\d\d) ", client.get("/@@account").text)[1]
    assert client.get(f"/@@audit?since={today}&until={today}").html.find(class_="record")
    later = client.get("/@@audit?since=2999-01-01")
    assert later.html.find(class_="record") is None


def test_the_site_s_zone_is_that_of_visitors(make_site):
    site = make_site(time_zone="Pacific/Kiritimati")
    site.add("/page", modified_at=dt.datetime(2026, 5, 31, 12, tzinfo=dt.UTC))
    assert site.client.get("/page").html.find("time").string == "2026-06-01"
