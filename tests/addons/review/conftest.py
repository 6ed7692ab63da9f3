"""A site on which pages are reviewed, with an author and a publisher."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from webtest import TestApp

from myproject.interfaces import IMailer
from myproject.security.models import User
from myproject.testing import Outbox, Site
from myproject.tree.node import DRAFT


@pytest.fixture
def site(make_site: Callable[..., Site], outbox: Outbox) -> Site:
    """A site with a published page and two drafts."""
    return fill(make_site(addons="review", development="true"), outbox)


@pytest.fixture
def strict(make_site: Callable[..., Site], outbox: Outbox) -> Site:
    """The same where nobody publishes what they have written themselves."""
    options = {"review.four_eyes": "true", "development": "true"}
    return fill(make_site(addons="review", **options), outbox)


def fill(site: Site, outbox: Outbox) -> Site:
    site.registry.registerUtility(outbox, IMailer)
    site.add("/live", "What readers see.", title="Live page")
    site.add("/one", "First.", title="Page one", state=DRAFT)
    site.add("/two", "Second.", title="Page two", state=DRAFT)
    return site


@pytest.fixture
def ann(site: Site) -> TestApp:
    return author(site, "ann")


@pytest.fixture
def pat(site: Site) -> TestApp:
    return publisher(site, "pat")


def author(site: Site, name: str) -> TestApp:
    client = site.sign_in(name, "author")
    give_address(site, name)
    return client


def publisher(site: Site, name: str) -> TestApp:
    client = site.sign_in(name, "publisher")
    give_address(site, name)
    return client


def give_address(site: Site, name: str, address: str | None = None) -> None:
    with site.tree() as tree:
        user = tree.session.scalars(select(User).where(User.name == name)).one()
        user.email = address or f"{name}@example.org"


def submit(client: TestApp, path: str, comment: str = "") -> Any:
    """Submit a page on the screen of its review."""
    return act(client, path, "submit", comment)


def act(client: TestApp, path: str, transition: str, comment: str = "", **options: Any) -> Any:
    """Take a page through a step on the screen of its review."""
    form = review_form(client.get(f"{path}/@@review"))
    form["comment"] = comment
    offered = [field.value_if_submitted() for field in form.fields.get("transition", [])]
    if transition not in offered:
        return forced(client, form, "transition", transition)
    return form.submit("transition", value=transition, **options)


def forced(client: TestApp, form: Any, name: str, value: str) -> Any:
    """Send a form with a button that it does not have."""
    fields = [*form.submit_fields(), (name, value)]
    return client.post(form.action, fields, expect_errors=True)


def review_form(page: Any) -> Any:
    return next(form for form in page.forms.values() if form.action.endswith("/@@arrange"))


def state_of(site: Site, path: str) -> tuple[str, str]:
    """Return the state and the stage of the page at a path."""
    with site.tree() as tree:
        node = site.node(tree, path)
        return node.state, node.stage
