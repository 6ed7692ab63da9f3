"""The workflow: what is written is submitted, and approved or sent back."""

from __future__ import annotations

from pyramid.i18n import TranslationStringFactory

from myproject.content.workflow import Comment, State, Transition, Workflow
from myproject.security.permissions import Permission
from myproject.tree.node import DRAFT, PUBLISHED

_ = TranslationStringFactory("myproject")

#: The state between a draft and a published page.
IN_REVIEW = "in-review"

#: Permissions: to ask for a review, and to decide.
SUBMIT, REVIEW = "submit", "review"

#: Transitions; the first has the name of its permission.
APPROVE, REJECT, WITHDRAW, UNPUBLISH = "approve", "reject", "withdraw", "unpublish"


def workflow(*, four_eyes: bool) -> Workflow:
    """Return the workflow.

    :param four_eyes: whether nobody publishes what they have written.
    """
    draft, review, live = (frozenset({name}) for name in (DRAFT, IN_REVIEW, PUBLISHED))
    return Workflow(
        "review",
        _("Review"),
        (
            State(DRAFT, _("Draft")),
            State(IN_REVIEW, _("In review")),
            State(PUBLISHED, _("Published")),
        ),
        (
            Transition(
                *(SUBMIT, _("Submit for review"), draft, IN_REVIEW, SUBMIT, Comment.OPTIONAL),
                done=_("Submitted ${what} for review."),
                log=_("${actor} submitted ${what} for review"),
            ),
            Transition(
                *(APPROVE, _("Approve and publish"), review, PUBLISHED, REVIEW, Comment.OPTIONAL),
                of_own=not four_eyes,
                done=_("Approved ${what}."),
                log=_("${actor} approved ${what}"),
            ),
            Transition(
                *(REJECT, _("Send back"), review, DRAFT, REVIEW, Comment.REQUIRED),
                done=_("Sent ${what} back."),
                log=_("${actor} sent ${what} back"),
            ),
            Transition(
                *(WITHDRAW, _("Withdraw from review"), review, DRAFT, SUBMIT),
                done=_("Took ${what} back from review."),
                log=_("${actor} took ${what} back from review"),
            ),
            Transition(
                *("publish", _("Publish"), draft, PUBLISHED, Permission.PUBLISH),
                of_own=not four_eyes,
            ),
            Transition(UNPUBLISH, _("Unpublish"), live, DRAFT, Permission.PUBLISH),
        ),
    )
