"""Mail: composing it, handing it over after the commit, and sending it to a real mail server."""

import email
import logging
import queue
import threading
from email import policy
from email.utils import parsedate_to_datetime

import pytest
import transaction
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from zope.interface import directlyProvides
from zope.interface.verify import verifyObject

from myproject import mail
from myproject.content.types import Page
from myproject.interfaces import IBulkMailer, IMailer
from myproject.mail import (
    ConsoleMailer,
    Mailing,
    NoMailer,
    SMTPMailer,
    compose,
    mailer_from,
    send_after_commit,
    send_all_after_commit,
)
from myproject.setting_types import Server
from myproject.testing import Outbox
from myproject.tree.node import ROOT_ID, Node

SENDER = "site@example.org"
RECIPIENT = "alice@example.com"


def message(subject="Hello", text="A letter.\n", recipient=RECIPIENT):
    return compose(SENDER, recipient, subject, text)


# -- composing ------------------------------------------------------------------------------------


def test_a_message_has_what_mail_servers_expect():
    letter = message("Grüße aus dem Baum", "Schöne Grüße.\nhttps://example.org/" + "x" * 200 + "\n")
    raw = bytes(letter)
    raw.decode("ascii")
    assert max(map(len, raw.split(b"\r\n"))) <= 78
    read = email.message_from_bytes(raw, policy=policy.default)
    assert read["From"] == SENDER
    assert read["To"] == RECIPIENT
    assert read["Subject"] == "Grüße aus dem Baum"
    assert read["Message-ID"].endswith("@example.org>")
    assert read["Auto-Submitted"] == "auto-generated"
    assert parsedate_to_datetime(read["Date"]).utcoffset().total_seconds() == 0
    assert read.get_content_type() == "text/plain"
    assert read.get_content().splitlines() == [
        "Schöne Grüße.",
        "https://example.org/" + "x" * 200,
    ]
    assert message()["Message-ID"] != message()["Message-ID"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\0", "\v", "\x85", "\u2028"])
def test_no_header_can_be_put_into_a_subject(end):
    letter = message(f"Hello{end}Bcc: eve@example.net{end}{end}Another text")
    read = email.message_from_bytes(bytes(letter), policy=policy.default)
    assert read["Bcc"] is None
    assert read["Subject"] == "Hello Bcc: eve@example.net Another text"
    assert read.get_content().splitlines() == ["A letter."]


@pytest.mark.parametrize(
    "recipient",
    [
        "alice@example.com\nBcc: eve@example.net",
        "alice@example.com\r\n",
        "alice@example.com, eve@example.net",
        "Alice <alice@example.com>",
        "friends: alice@example.com;",
        "alice",
        "",
    ],
)
def test_only_one_plain_address_receives(recipient):
    with pytest.raises(ValueError, match=r"^The recipient of a mail must be a mail address"):
        message(recipient=recipient)
    with pytest.raises(ValueError, match=r"^The sender of a mail must be a mail address"):
        compose(recipient, RECIPIENT, "Hello", "Text")


# -- after the commit -----------------------------------------------------------------------------


def test_sent_when_committed_and_not_before(database):
    outbox = Outbox()
    with database.transaction() as session:
        session.get_one(Node, ROOT_ID).title = "Changed"
        send_after_commit(session, outbox, message())
        session.flush()
        assert not outbox.messages
    assert [letter["To"] for letter in outbox.messages] == [RECIPIENT]


def test_nothing_is_sent_when_aborted(database):
    outbox = Outbox()
    manager = transaction.TransactionManager(explicit=True)
    manager.begin()
    session = database.write_session(manager)
    session.get_one(Node, ROOT_ID).title = "Changed"
    send_after_commit(session, outbox, message())
    session.flush()
    manager.abort()
    assert not outbox.messages


def test_nothing_is_sent_when_the_commit_fails(database):
    outbox = Outbox()
    manager = transaction.TransactionManager(explicit=True)
    manager.begin()
    session = database.write_session(manager)
    session.get_one(Node, ROOT_ID)
    session.add_all([Page(title="One", name="x", parent_id=ROOT_ID, position=1) for _ in range(2)])
    send_after_commit(session, outbox, message())
    with pytest.raises(Exception, match=r"(?i)unique"):
        manager.commit()
    manager.abort()
    assert not outbox.messages


# -- mailers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "kind", "is_working"),
    [
        ("", NoMailer, False),
        ("console:", ConsoleMailer, True),
        ("smtp://localhost", SMTPMailer, True),
        ("smtp+starttls://me:secret@mail.example.org", SMTPMailer, True),
        ("smtps://me:secret@mail.example.org:465", SMTPMailer, True),
    ],
)
def test_the_setting_decides(make_site, url, kind, is_working):
    mailer = make_site(mail=url).registry.getUtility(IMailer)
    assert type(mailer) is kind
    assert mailer.is_working is is_working
    assert verifyObject(IMailer, mailer)


def test_no_mail_says_so_without_naming_anybody(caplog):
    caplog.set_level(logging.INFO, logger=mail.__name__)
    NoMailer().send(message())
    assert caplog.messages == ["Mail to ***@example.com was not sent: myproject.mail is empty."]


def test_console_shows_a_message_as_it_is_read(capsys):
    ConsoleMailer().send(message("Grüße", "Schöner Tag.\n\nhttps://example.org/" + "x" * 99))
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.splitlines()[1:-1] == [
        "-- mail ----------------------------------------------------------------",
        "From: site@example.org",
        "To: alice@example.com",
        "Subject: Grüße",
        "",
        "Schöner Tag.",
        "",
        "https://example.org/" + "x" * 99,
    ]


# -- a mail server --------------------------------------------------------------------------------


class Postbox:
    """What the mail server does: keeps messages, after as many refusals as it is told."""

    def __init__(self):
        self.arrived = queue.Queue()
        self.replies = []
        self.tries = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        self.tries += 1
        if self.replies and (reply := self.replies.pop(0)):
            return reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        read = email.message_from_bytes(envelope.content, policy=policy.default)
        self.arrived.put((envelope.mail_from, envelope.rcpt_tos, read))
        return "250 OK"

    def take(self):
        return self.arrived.get(timeout=10)


class Authenticator:
    """Lets one person in."""

    def __call__(self, server, session, envelope, mechanism, data):
        right = (data.login, data.password) == (b"me@example.org", b"p@ss/word")
        return AuthResult(success=right, handled=False)


class AnyPort(Controller):
    """A mail server on a port that is free; it learns which before it tries itself."""

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@pytest.fixture
def postbox():
    return Postbox()


@pytest.fixture
def serve(postbox):
    """Start a mail server and return its port."""
    started = []

    def serve(**options):
        controller = AnyPort(postbox, hostname="127.0.0.1", port=0, **options)
        controller.start()
        started.append(controller)
        return controller.port

    yield serve
    for controller in started:
        controller.stop()


@pytest.fixture
def mailer(serve):
    mailer = SMTPMailer(Server("smtp", "127.0.0.1", serve(), "", "", ""), pauses=(0, 0))
    yield mailer
    mailer.close()


def test_a_message_arrives(mailer, postbox):
    mailer.send(message("Grüße", "Schöner Tag.\n"))
    sender, recipients, read = postbox.take()
    assert (sender, recipients) == (SENDER, [RECIPIENT])
    assert read["Subject"] == "Grüße"
    assert read.get_content() == "Schöner Tag.\r\n"


def test_messages_arrive_in_order_by_one_thread(mailer, postbox):
    for number in range(20):
        mailer.send(message(f"{number}"))
    assert [postbox.take()[2]["Subject"] for _ in range(20)] == [str(n) for n in range(20)]
    assert [thread.name for thread in threading.enumerate()].count("mail") >= 1
    assert mailer._worker.daemon


def test_nobody_waits_for_the_mail_server(mailer, postbox):
    """The server does not answer before the test lets it."""
    gate, entered = threading.Event(), threading.Event()
    transmit = mailer._transmit

    def hold(letter):
        entered.set()
        assert gate.wait(10)
        transmit(letter)

    mailer._transmit = hold
    mailer.send(message("one"))
    assert entered.wait(10)
    mailer.send(message("two"))
    assert postbox.arrived.empty()
    gate.set()
    assert [postbox.take()[2]["Subject"] for _ in range(2)] == ["one", "two"]


def test_too_many_waiting_are_given_up(caplog):
    mailer = SMTPMailer(Server("smtp", "127.0.0.1", 1, "", "", ""), most_waiting=2)
    mailer._start = lambda: None
    for _ in range(3):
        mailer.send(message())
    assert caplog.messages == ["Mail to ***@example.com was given up: too many are waiting."]
    mailer.close(within=0)
    assert caplog.messages[1:] == ["2 mails were given up: the process ended."]


def test_a_mailing_waits_as_one_and_arrives_at_each(mailer, postbox):
    names = [f"reader{number}@example.com" for number in range(5)]
    mailer._waiting.maxsize = 1
    mailer.send_all(Mailing(SENDER, names, "News", "Text.\n"))
    arrived = [postbox.take() for _ in names]
    assert [recipients for _sender, recipients, _read in arrived] == [[name] for name in names]
    assert {read["To"] for _sender, _recipients, read in arrived} == {*names}


def test_what_is_given_up_of_mailings_is_counted(caplog):
    mailer = SMTPMailer(Server("smtp", "127.0.0.1", 1, "", "", ""), most_waiting=1)
    mailer._start = lambda: None
    for names in (["a@example.com"] * 7, ["b@example.com"] * 3):
        mailer.send_all(Mailing(SENDER, names, "News", "Text."))
    assert caplog.messages == ["3 mails were given up: too many are waiting."]
    mailer.close(within=0)
    assert caplog.messages[1:] == ["7 mails were given up: the process ended."]


def test_one_of_a_mailing_that_cannot_be_sent_keeps_no_other(mailer, postbox, caplog):
    mailer.send_all(Mailing(SENDER, ["nobody", RECIPIENT], "News", "Text."))
    assert postbox.take()[1] == [RECIPIENT]
    mailer.close()
    assert caplog.messages == ["Mail to somebody was not sent: ValueError"]


@pytest.mark.parametrize("is_bulk", [True, False])
def test_a_mailing_is_composed_after_the_commit(database, is_bulk):
    outbox, taken = Outbox(), []
    if is_bulk:
        outbox.send_all = taken.append
        directlyProvides(outbox, IBulkMailer)
    mailing = Mailing(SENDER, [RECIPIENT, SENDER], "News", "Text.\n")
    with database.transaction() as session:
        session.get_one(Node, ROOT_ID).title = "Changed"
        send_all_after_commit(session, outbox, mailing)
        assert (taken, outbox.messages) == ([], [])
    assert taken == [mailing] * is_bulk
    assert [message["To"] for message in outbox.messages] == [RECIPIENT, SENDER] * (not is_bulk)


def test_three_tries(mailer, postbox, caplog):
    postbox.replies = ["451 later", "421 alice@example.com later"]
    mailer.send(message())
    postbox.take()
    mailer.close()
    assert postbox.tries == 3
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
    assert caplog.messages[0] == (
        "Mail to ***@example.com is tried again: SMTPRecipientsRefused 451"
    )
    assert "alice" not in caplog.text


def test_no_fourth_try_and_the_next_message_arrives(mailer, postbox, caplog):
    postbox.replies = ["451 later"] * 3
    mailer.send(message("one"))
    mailer.send(message("two"))
    assert postbox.take()[2]["Subject"] == "two"
    mailer.close()
    assert postbox.tries == 4
    assert caplog.messages[-1] == (
        "Mail to ***@example.com was not sent: SMTPRecipientsRefused 451"
    )


def test_a_final_no_is_not_tried_again(mailer, postbox, caplog):
    postbox.replies = ["550 no alice@example.com here"]
    mailer.send(message("one"))
    mailer.close()
    assert postbox.tries == 1
    assert caplog.messages == ["Mail to ***@example.com was not sent: SMTPRecipientsRefused 550"]
    assert "alice" not in caplog.text


def test_the_pauses_grow_and_end_with_the_process(serve, postbox, monkeypatch):
    mailer = SMTPMailer(Server("smtp", "127.0.0.1", serve(), "", "", ""))
    pauses, waiting = [], threading.Event()
    wait = mailer._is_closing.wait

    def remember(seconds):
        pauses.append(seconds)
        waiting.set()
        return wait(seconds)

    monkeypatch.setattr(mailer._is_closing, "wait", remember)
    postbox.replies = ["451 later", "451 later"]
    mailer.send(message())
    assert waiting.wait(10)
    mailer.close()
    assert pauses == sorted(set(pauses))
    assert len(pauses) == 2
    assert postbox.tries == 3
    assert not postbox.arrived.empty()


def test_a_mail_server_that_is_not_there(caplog, serve):
    port = serve()
    mailer = SMTPMailer(Server("smtp", "127.0.0.1", port, "", "", ""), pauses=(0, 0))

    def refuse(*args, **kw):
        raise ConnectionRefusedError(111, "Connection refused")

    mailer._connect = refuse
    mailer.send(message())
    mailer.close()
    assert len(caplog.messages) == 3
    assert caplog.messages[2] == (
        "Mail to ***@example.com was not sent: [Errno 111] Connection refused"
    )


def test_an_error_nobody_thought_of_does_not_stop_the_rest(mailer, postbox, caplog):
    transmit = mailer._transmit

    def fail(letter):
        mailer._transmit = transmit
        raise ZeroDivisionError("alice@example.com")

    mailer._transmit = fail
    mailer.send(message("one"))
    mailer.send(message("two"))
    assert postbox.take()[2]["Subject"] == "two"
    assert caplog.messages == ["Mail to ***@example.com was not sent: ZeroDivisionError"]


def test_what_the_url_leaves_out(monkeypatch):
    """Ports, and encryption, are those of the scheme."""
    calls = []
    for name in ("SMTP", "SMTP_SSL"):
        monkeypatch.setattr(
            mail.smtplib, name, lambda *args, _name=name, **kw: calls.append((_name, args, kw))
        )
    for url in ("smtp://mail", "smtp+starttls://mail", "smtps://mail", "smtp://mail:2525"):
        mailer_from({"myproject.mail": url})._connect()
    assert [(name, *args) for name, args, _ in calls] == [
        ("SMTP", "mail", 25),
        ("SMTP", "mail", 587),
        ("SMTP_SSL", "mail", 465),
        ("SMTP", "mail", 2525),
    ]
    assert all(kw["timeout"] > 0 for *_, kw in calls)
    assert calls[2][2]["context"].check_hostname


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")
@pytest.mark.parametrize(("password", "arrives"), [("p%40ss%2Fword", True), ("wrong", False)])
def test_signing_in_at_the_mail_server(serve, postbox, caplog, password, arrives):
    port = serve(
        authenticator=Authenticator(), auth_required=True, auth_require_tls=False, decode_data=False
    )
    mailer = mailer_from({"myproject.mail": f"smtp://me%40example.org:{password}@127.0.0.1:{port}"})
    mailer.send(message())
    mailer.close()
    assert postbox.arrived.empty() is not arrives
    if not arrives:
        assert caplog.messages[-1] == (
            "Mail to ***@example.com was not sent: SMTPAuthenticationError 535"
        )


def test_nothing_is_told_without_encryption_when_it_was_asked_for(serve, postbox, caplog):
    mailer = mailer_from({"myproject.mail": f"smtp+starttls://me:secret@127.0.0.1:{serve()}"})
    mailer.send(message())
    mailer.close()
    assert postbox.tries == 0
    assert caplog.messages == ["Mail to ***@example.com was not sent: SMTPNotSupportedError"]
