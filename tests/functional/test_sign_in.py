"""Signing in and out, over HTTP: what works, and what people with bad intentions try."""

import datetime as dt
import re
from urllib.parse import quote

import pytest
from sqlalchemy import select, update
from webtest import TestApp

from myproject.interfaces import IMailer
from myproject.security import passwords
from myproject.security.accounts import Accounts
from myproject.security.audit import Event
from myproject.security.logins import make_link
from myproject.security.models import AuditEntry, Login, OneTimeLink, User
from myproject.testing import Site
from myproject.tree.actor import COMMAND_LINE

PASSWORD = "seven purple turtles"


def add_user(site: Site, name="ann", password=PASSWORD, **fields) -> int:
    with site.database.transaction() as session:
        accounts = Accounts(session, site.registry.passwords, COMMAND_LINE, minimum=10)
        return accounts.create_user(name, password=password, **fields).id


def fill_in(client: TestApp, name="ann", password=PASSWORD, path="/@@sign-in"):
    form = client.get(path).form
    form["name"], form["password"] = name, password
    return form


def is_signed_in(client: TestApp) -> bool:
    return client.get("/@@account").status_int == 200


@pytest.fixture
def ann(site):
    add_user(site, title="Ann Example", email="ann@example.org")
    return site


def events(site, *kinds):
    with site.database.read_session() as session:
        query = select(AuditEntry.kind).where(AuditEntry.kind.in_(kinds))
        return session.scalars(query.order_by(AuditEntry.id)).all()


# -- the way in and out ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ann", " ANN ", "Ann@Example.org", "ａｎｎ"])
def test_a_name_or_an_address_and_the_password_sign_in(ann, name):
    answer = fill_in(ann.client, name).submit()
    assert (answer.status_int, answer.location) == (303, "http://localhost/")
    page = ann.client.get("/")
    assert "Ann Example" in page
    assert "Sign in" not in page
    with ann.database.read_session() as session:
        user = session.scalars(select(User)).one()
        assert dt.datetime.now(dt.UTC) - user.last_login_at < dt.timedelta(minutes=1)
    assert events(ann, Event.SIGNED_IN) == [Event.SIGNED_IN]


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("ann", "wrong"),
        ("ann", ""),
        ("nobody", PASSWORD),
        ("", ""),
        ("ann\0\0b", PASSWORD),
        ("%", "%"),
    ],
)
def test_wrong_is_refused_alike_and_recorded(ann, name, password):
    refused = fill_in(ann.client, name, password).submit(status=422)
    assert "The name or the password is not right" in refused
    assert refused.form["password"].value == ""
    assert not is_signed_in(ann.client)
    assert events(ann, Event.SIGN_IN_FAILED) == [Event.SIGN_IN_FAILED]


def test_an_account_that_is_switched_off_cannot_sign_in_and_is_signed_out(ann):
    fill_in(ann.client).submit()
    with ann.database.transaction() as session:
        accounts = Accounts(session, ann.registry.passwords, COMMAND_LINE, minimum=10)
        accounts.disable_user(session.scalars(select(User)).one())
    assert not is_signed_in(ann.client)
    assert "not right" in fill_in(TestApp(ann.app)).submit(status=422)


def test_signing_out_ends_the_login_wherever_its_cookie_is(ann):
    fill_in(ann.client).submit()
    stolen = TestApp(ann.app)
    stolen.set_cookie("session", ann.client.cookies["session"])
    assert is_signed_in(stolen)
    page = ann.client.get("/")
    assert page.forms[0].submit().location == "http://localhost/"
    assert not is_signed_in(ann.client)
    assert not is_signed_in(stolen)


def test_signing_out_by_a_link_is_not_possible(ann):
    fill_in(ann.client).submit()
    ann.client.get("/@@sign-out", status=405)
    assert is_signed_in(ann.client)


def test_a_login_ends_after_its_time(ann):
    fill_in(ann.client).submit()
    with ann.database.transaction() as session:
        past = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)
        session.execute(update(Login).values(expires_at=past))
    assert not is_signed_in(ann.client)


def test_revoking_a_login_signs_out_at_once(ann):
    other = TestApp(ann.app)
    fill_in(other).submit()
    fill_in(ann.client).submit()
    page = ann.client.get("/@@account")
    there = next(form for form in page.forms.values() if "login" in form.fields)
    assert there.submit().status_int == 303
    assert not is_signed_in(other)
    assert "You are signed out there" in ann.client.get("/@@account")
    assert "You are signed out there" not in ann.client.get("/@@account")


def test_somebody_else_s_login_cannot_be_revoked(ann):
    add_user(ann, "bob")
    bob = TestApp(ann.app)
    fill_in(bob, "bob").submit()
    fill_in(ann.client).submit()
    other = TestApp(ann.app)
    fill_in(other).submit()
    with ann.database.read_session() as session:
        bobs = session.scalar(
            select(Login.id).join(User, User.id == Login.user_id).where(User.name == "bob")
        )
    form = next(f for f in ann.client.get("/@@account").forms.values() if "login" in f.fields)
    form["login"].force_value(str(bobs))
    form.submit()
    assert is_signed_in(bob)


def test_sign_ins_change_no_page_for_others(ann):
    tag = ann.client.get("/").headers["ETag"]
    fill_in(TestApp(ann.app)).submit()
    fill_in(TestApp(ann.app), password="wrong").submit(status=422)
    assert ann.client.get("/").headers["ETag"] == tag


# -- fixation, CSRF, cookies ----------------------------------------------------------------------


def test_a_session_that_somebody_planted_is_worth_nothing_after_signing_in(ann):
    attacker = TestApp(ann.app)
    attacker.get("/@@sign-in")
    planted = attacker.cookies["session"]
    ann.client.set_cookie("session", planted)
    token = ann.client.get("/@@sign-in").form["csrf_token"].value
    fill_in(ann.client).submit()
    assert ann.client.cookies["session"] != planted
    assert not is_signed_in(attacker)
    # The token that the attacker knows is not the one that counts now.
    refused = ann.client.post("/@@sign-out", {"csrf_token": token}, status=400)
    assert "This form has expired" in refused
    assert is_signed_in(ann.client)


def test_every_sign_in_is_a_login_of_its_own(ann):
    fill_in(ann.client).submit()
    first = ann.client.cookies["session"]
    ann.client.post("/@@sign-out", {"csrf_token": ann.client.get("/").forms[0]["csrf_token"].value})
    fill_in(ann.client).submit()
    assert ann.client.cookies["session"] != first


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "http://localhost:81"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_what_another_site_sends_is_refused_even_with_a_token(ann, headers):
    form = fill_in(ann.client)
    assert "did not come from this site" in form.submit(headers=headers, status=400)
    assert form.submit(headers={"Origin": "http://localhost"}).status_int == 303


@pytest.mark.parametrize("token", [None, "", "wrong", "é"])
def test_without_the_right_token_nothing_is_done(ann, token):
    ann.client.get("/@@sign-in")
    fields = {"name": "ann", "password": PASSWORD}
    fields |= {} if token is None else {"csrf_token": token}
    ann.client.post("/@@sign-in", fields, status=400)
    assert not is_signed_in(ann.client)
    assert events(ann, Event.SIGNED_IN, Event.SIGN_IN_FAILED) == []


def test_the_cookie_is_for_this_host_and_for_no_script(make_site):
    site = make_site(https="true")
    cookie = site.client.get("/@@sign-in").headers["Set-Cookie"]
    assert cookie.startswith("__Host-session=")
    for attribute in ("secure", "httponly", "samesite=lax", "path=/"):
        assert f"; {attribute}" in cookie.lower()
    assert "Domain" not in cookie


def test_readers_get_no_cookie(ann):
    for path in ("/", "/nope", "/@@static/site.css"):
        assert "Set-Cookie" not in ann.client.get(path, status="*").headers


@pytest.mark.parametrize("change", [lambda c: c[:-4] + "AAAA", lambda c: "x", lambda c: c[::-1]])
def test_a_forged_cookie_is_nobody_s(ann, change):
    fill_in(ann.client).submit()
    forger = TestApp(ann.app)
    forger.set_cookie("session", change(ann.client.cookies["session"]))
    assert not is_signed_in(forger)
    assert forger.get("/").status_int == 200


# -- where one goes on to -------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", ["/@@account", "/", "/docs/@@source?x=1&y=%20"])
def test_one_goes_on_where_one_wanted_to(ann, wanted):
    answer = fill_in(ann.client, path=f"/@@sign-in?next={quote(wanted)}").submit()
    assert answer.location == f"http://localhost{wanted}"


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        " //evil.example",
        "/ /evil.example",
        "javascript:alert(1)",
        "evil.example",
        "http:evil.example",
        "/@@sign-in?next=/",
        "/@@sign-out",
        "//[",
        "",
    ],
)
@pytest.mark.parametrize("signed_in", [False, True])
def test_nobody_is_led_away(ann, wanted, signed_in):
    if signed_in:
        fill_in(ann.client).submit()
        answer = ann.client.get(f"/@@sign-in?next={quote(wanted)}")
    else:
        form = fill_in(ann.client)
        form["next"] = wanted
        answer = form.submit()
    assert answer.location == "http://localhost/"


# -- brute force ----------------------------------------------------------------------------------


def test_attempts_at_one_account_end_whoever_makes_them(make_site):
    site = make_site(sign_in_limit_account="3 per 15 minutes")
    add_user(site)
    for number in range(3):
        client = TestApp(site.app, extra_environ={"REMOTE_ADDR": f"192.0.2.{number}"})
        fill_in(client, password="wrong").submit(status=422)
    refused = fill_in(site.client).submit(status=429)
    assert "Wait" in refused
    assert 0 < int(refused.headers["Retry-After"]) <= 900
    assert not is_signed_in(site.client)


def test_attempts_from_one_address_end_whatever_the_account(make_site):
    site = make_site(sign_in_limit_address="3 per 15 minutes")
    add_user(site)
    for number in range(3):
        fill_in(site.client, f"nobody{number}").submit(status=422)
    fill_in(site.client).submit(status=429)
    elsewhere = TestApp(site.app, extra_environ={"REMOTE_ADDR": "192.0.2.9"})
    assert fill_in(elsewhere).submit().status_int == 303


def test_success_forgets_failures(make_site):
    site = make_site(sign_in_limit_account="2 per 15 minutes")
    add_user(site)
    for _ in range(3):
        fill_in(TestApp(site.app), password="wrong").submit(status=422)
        fill_in(TestApp(site.app)).submit(status=303)


def test_an_unknown_account_takes_the_same_work(ann, monkeypatch):
    """Counted, not timed: each attempt hashes once, whether or not there is such an account."""
    verified = []
    verify = passwords.Passwords.verify

    def counting(self, hashed, password):
        verified.append(password)
        return verify(self, hashed, password)

    monkeypatch.setattr(passwords.Passwords, "verify", counting)
    for name in ("ann", "nobody"):
        fill_in(TestApp(ann.app), name, "wrong").submit(status=422)
    assert verified == ["wrong", "wrong"]


def test_a_password_is_hashed_anew_when_the_parameters_have_changed(ann, make_site):
    def stored():
        with ann.database.read_session() as session:
            return session.scalars(select(User.password_hash)).one()

    old = stored()
    fill_in(ann.client).submit()
    assert stored() == old
    stricter = make_site(argon2_time_cost="2")
    fill_in(stricter.client).submit(status=303)
    assert stored() != old
    assert "t=2" in stored()


# -- one-time links -------------------------------------------------------------------------------


@pytest.fixture
def mailed(ann, monkeypatch):
    """A site that mails, and what it has mailed."""

    class Mailer:
        is_working = True

        def __init__(self):
            self.sent = []

        def send(self, message):
            self.sent.append(message)

    mailer = Mailer()
    ann.registry.registerUtility(mailer, IMailer)
    ann.registry.settings["myproject.canonical_host"] = "https://www.example.org"
    return mailer


def ask_for_link(site, name):
    form = site.client.get("/@@reset-password").form
    form["name"] = name
    return form.submit()


def token_in(message) -> str:
    (url,) = re.findall(r"https?://\S+one-time\S+", message.get_content())
    assert url.startswith("https://www.example.org/@@one-time?token=")
    return url.partition("token=")[2]


def choose(client, token, password="eight yellow lizards", repeated=None):
    form = client.get(f"/@@one-time?token={token}").form
    form["password"], form["repeated"] = password, repeated or password
    return form


def test_a_forgotten_password_is_replaced_by_a_mailed_link(ann, mailed):
    elsewhere = TestApp(ann.app)
    fill_in(elsewhere).submit()
    assert "a link is on its way" in ask_for_link(ann, "ann@example.org")
    (message,) = mailed.sent
    assert message["To"] == "ann@example.org"
    token = token_in(message)
    # Programs that look at mail open links; that does not use them up.
    assert ann.client.get(f"/@@one-time?token={token}").headers["Referrer-Policy"] == "same-origin"
    assert choose(ann.client, token).submit().status_int == 303
    assert is_signed_in(ann.client)
    assert not is_signed_in(elsewhere), "a new password ends the logins of old"
    fill_in(TestApp(ann.app)).submit(status=422)
    fill_in(TestApp(ann.app), password="eight yellow lizards").submit(status=303)
    gone = TestApp(ann.app).get(f"/@@one-time?token={token}", status=410)
    assert "does not work any more" in gone


def test_the_answer_does_not_tell_who_has_an_account(ann, mailed):
    answers = {
        re.sub(r'value="[^"]*"|nonce="[^"]*"', "", ask_for_link(ann, name).text)
        for name in ("ann", "nobody", "x@example.org")
    }
    assert len(answers) == 1
    assert len(mailed.sent) == 1
    assert events(ann, Event.LINK_REQUESTED) == [Event.LINK_REQUESTED] * 3


def test_links_do_not_lead_to_the_host_that_was_asked(ann, mailed):
    form = ann.client.get("/@@reset-password").form
    form["name"] = "ann"
    cookie = f"session={ann.client.cookies['session']}"
    form.submit(headers={"Host": "evil.example", "Cookie": cookie})
    assert "evil" not in mailed.sent[0].get_content()


def test_asking_for_links_is_limited_and_locks_nobody_out(ann, mailed):
    for _ in range(15):
        ask_for_link(ann, "ann")
    assert len(mailed.sent) == 10
    fill_in(ann.client).submit(status=303)


def test_without_mail_or_an_address_the_screen_says_whom_to_ask(ann):
    assert "sends no mail" in ann.client.get("/@@reset-password")
    assert "reset-password" not in ann.client.get("/@@sign-in")


def test_only_the_newest_link_works(ann):
    with ann.database.transaction() as session:
        user = session.scalars(select(User)).one()
        first, second = (
            make_link(session, user, COMMAND_LINE, dt.timedelta(hours=1)) for _ in range(2)
        )
    ann.client.get(f"/@@one-time?token={first}", status=410)
    assert choose(ann.client, second).submit().status_int == 303


def test_of_two_that_use_a_link_one_succeeds(ann):
    with ann.database.transaction() as session:
        user = session.scalars(select(User)).one()
        token = make_link(session, user, COMMAND_LINE, dt.timedelta(hours=1))
    first, second = TestApp(ann.app), TestApp(ann.app)
    forms = [choose(client, token) for client in (first, second)]
    assert forms[0].submit().status_int == 303
    assert forms[1].submit(status=410).status_int == 410
    assert not is_signed_in(second)


@pytest.mark.parametrize(
    ("password", "repeated", "message"),
    [
        ("short", None, "10"),
        ("eight yellow lizards", "eight yellow wizards", "not the same"),
        ("ann@example.org", None, ""),
        ("", None, ""),
    ],
)
def test_a_bad_password_is_refused_and_the_link_goes_on_working(ann, password, repeated, message):
    with ann.database.transaction() as session:
        user = session.scalars(select(User)).one()
        token = make_link(session, user, COMMAND_LINE, dt.timedelta(hours=1))
    refused = choose(ann.client, token, password, repeated).submit(status=422)
    assert message in refused
    assert 'aria-invalid="true"' in refused
    fill_in(TestApp(ann.app)).submit(status=303)
    assert choose(ann.client, token).submit().status_int == 303


@pytest.mark.parametrize("token", ["", "x", "x" * 500, "%00", "%ff"])
def test_a_made_up_link_is_said_not_to_work(ann, fetch, token):
    assert fetch(ann, f"/@@one-time?token={token}").status_int in (400, 410)


def test_an_expired_link_is_said_not_to_work(ann):
    with ann.database.transaction() as session:
        user = session.scalars(select(User)).one()
        token = make_link(session, user, COMMAND_LINE, dt.timedelta(hours=1))
        past = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)
        session.execute(update(OneTimeLink).values(expires_at=past))
    assert "does not work any more" in ann.client.get(f"/@@one-time?token={token}", status=410)


def test_nothing_that_opens_an_account_can_be_read_in_the_database(ann):
    fill_in(ann.client).submit()
    with ann.database.transaction() as session:
        user = session.scalars(select(User)).one()
        token = make_link(session, user, COMMAND_LINE, dt.timedelta(hours=1))
        stored = [session.scalars(select(OneTimeLink.token_hash)).one()]
        stored += session.scalars(select(Login.token_hash)).all()
    assert token not in stored
    assert all(re.fullmatch("[0-9a-f]{64}", each) for each in stored)


# -- one's own account ----------------------------------------------------------------------------


def change(client, old=PASSWORD, new="eight yellow lizards", repeated=None):
    form = next(f for f in client.get("/@@account").forms.values() if "old" in f.fields)
    form["old"], form["password"], form["repeated"] = old, new, repeated or new
    return form


def test_changing_the_password_ends_other_logins(ann):
    other = TestApp(ann.app)
    fill_in(other).submit()
    fill_in(ann.client).submit()
    assert "Your password is changed" in change(ann.client).submit().follow()
    assert is_signed_in(ann.client)
    assert not is_signed_in(other)
    assert events(ann, Event.PASSWORD_CHANGED) == [Event.PASSWORD_CHANGED]


@pytest.mark.parametrize(
    ("old", "new", "repeated"),
    [
        ("wrong", "eight yellow lizards", None),
        (PASSWORD, "x", None),
        (PASSWORD, "a b c d e f g", "x"),
    ],
)
def test_a_change_that_is_refused_changes_nothing(ann, old, new, repeated):
    fill_in(ann.client).submit()
    assert 'aria-invalid="true"' in change(ann.client, old, new, repeated).submit(status=422)
    fill_in(TestApp(ann.app)).submit(status=303)


def test_guessing_the_present_password_is_limited(make_site):
    site = make_site(sign_in_limit_account="3 per 15 minutes")
    add_user(site)
    fill_in(site.client).submit()
    for _ in range(3):
        change(site.client, old="wrong").submit(status=422)
    change(site.client).submit(status=429)
