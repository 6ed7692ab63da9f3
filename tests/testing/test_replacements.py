"""The suites for what add-ons can replace, held by what the core has; and that they can fail."""

import pytest
from zope.interface import Invalid

from myproject.content.markup import MarkdownRenderer
from myproject.mail import ConsoleMailer, NoMailer, SMTPMailer
from myproject.setting_types import Server, read_server
from myproject.testing.replacements import HOSTILE, MailerContract, MarkdownRendererContract


class TestNoMailer(MailerContract):
    @pytest.fixture
    def mailer(self):
        return NoMailer()


class TestConsoleMailer(MailerContract):
    @pytest.fixture
    def mailer(self):
        return ConsoleMailer()


class TestSMTPMailerWithoutAServer(MailerContract):
    @pytest.fixture
    def mailer(self):
        server = read_server("smtp://127.0.0.1:1")
        assert isinstance(server, Server)
        mailer = SMTPMailer(server, pauses=(), patience=1.0)
        yield mailer
        mailer.close()


class TestMarkdownRenderer(MarkdownRendererContract):
    @pytest.fixture
    def renderer(self):
        return MarkdownRenderer()


class Careless:
    """Hands on what authors write."""

    def render(self, source, title=None):
        return type("Rendered", (), {"html": source, "toc": []})


@pytest.mark.parametrize(
    ("source", "harm"), [pair for pair in HOSTILE.items() if pair[0].startswith("<")]
)
def test_a_careless_renderer_is_found(source, harm):
    with pytest.raises(AssertionError):
        MarkdownRendererContract().test_what_does_harm_is_left_out(Careless(), source, harm)


@pytest.mark.parametrize(
    "test",
    [
        MarkdownRendererContract.test_text_becomes_html,
        MarkdownRendererContract.test_references_to_pages_stay_as_they_are,
        MarkdownRendererContract.test_headings_can_be_linked_to,
    ],
)
def test_what_renders_nothing_is_found(test):
    with pytest.raises(AssertionError):
        test(MarkdownRendererContract(), Careless())


class Stubborn:
    """Says what it is not, and changes what it is given."""

    is_working = "yes"

    def send(self, message):
        message["X-Mailer"] = "Stubborn"


def test_a_mailer_that_changes_messages_is_found():
    with pytest.raises(AssertionError):
        MailerContract().test_it_takes_a_message_and_leaves_it_alone(Stubborn())
    with pytest.raises(Invalid):
        MailerContract().test_it_provides_the_interface(Stubborn())
