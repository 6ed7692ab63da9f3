"""Review: pages are submitted, and somebody else approves them or sends them back."""

from __future__ import annotations

from pyramid.i18n import TranslationStringFactory

from myproject.addons.review.authors import keep_authors
from myproject.addons.review.mails import Mails
from myproject.addons.review.steps import APPROVE, REVIEW, SUBMIT, workflow
from myproject.content.operations_log import OperationKept
from myproject.content.publishing import DoneOnTime
from myproject.content.workflow import TransitionTaken
from myproject.declarations import Setting
from myproject.extend.configurator import SiteConfigurator
from myproject.registry import registry_of
from myproject.tree.events import NodeCopied

_ = TranslationStringFactory("myproject")

SETTINGS = (
    Setting(
        "myproject.review.four_eyes",
        bool,
        False,
        "Whether nobody publishes what they have written themselves: what readers see was seen by "
        "somebody else before.",
    ),
    Setting(
        "myproject.review.mail",
        bool,
        True,
        "Whether reviewers get mail about what is submitted, and authors about what became of it.",
    ),
)


def includeme(config: SiteConfigurator) -> None:
    """Have pages reviewed."""
    four_eyes, by_mail = config.add_settings(*SETTINGS)
    config.add_permission(SUBMIT, _("submit pages for review"))
    config.add_permission(REVIEW, _("approve pages, or send them back"))
    for role in ("author", "editor", "publisher", "manager"):
        config.grant(role, SUBMIT)
    for role in ("publisher", "manager"):
        config.grant(role, REVIEW)
    config.add_workflow(workflow(four_eyes=four_eyes))
    if four_eyes:
        config.add_event_subscriber(keep_authors, NodeCopied)
    if by_mail:
        mails = Mails(registry_of(config), four_eyes=four_eyes)
        config.add_event_subscriber(mails.tell_taken, TransitionTaken)
        config.add_event_subscriber(mails.tell_kept, OperationKept)
        config.add_event_subscriber(mails.tell_on_time, DoneOnTime)
    for order, (name, title, permission) in enumerate(
        ((SUBMIT, _("Submit for review"), SUBMIT), (APPROVE, _("Approve"), REVIEW)), 380
    ):
        config.add_bulk_action(
            name,
            title,
            view="state",
            permission=permission,
            order=order,
            field=("transition", name),
        )
    config.add_static_bundle("review", "myproject.addons.review:static/")
    config.include("myproject.addons.review.views")
