"""What the tests of moving, deleting and undoing share."""

import re
from contextlib import contextmanager
from html import unescape

from myproject.content.journal import Journal
from myproject.security.logins import find_user
from myproject.tree.actor import Actor
from myproject.tree.operations import Tree


def text(page):
    """What the page says, in one line."""
    shown = re.sub(r"(?s)<(script|style).*?</\1>", " ", page.text)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", shown)).split())


@contextmanager
def journal_of(site, name):
    """What somebody does to the tree, without a browser: journal and a look-up of nodes by path."""
    with site.tree() as tree:
        user = find_user(tree.session, name)
        journal = Journal(Tree(tree.session, actor=Actor(user.id, user.name)))
        yield journal, lambda path: site.node(journal.tree, path)


def button(page, label):
    """The form on a page whose button says this."""
    # The last one: what the bar offers stands before what the screen is about.
    for form in reversed(page.forms.values()):
        if re.search(rf"<button[^>]*>\s*{re.escape(label)}\s*</button>", form.text):
            return form
    raise AssertionError(f"There is no button {label!r}: {text(page)}")


def token(client, path="/@@account"):
    """The token that this client's forms carry."""
    return re.search(r'name="csrf_token" value="([^"]+)"', client.get(path).text)[1]
