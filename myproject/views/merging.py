"""Two versions of a page side by side, and what somebody decides about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pyramid.i18n import TranslationStringFactory

from myproject.content.columns import Field
from myproject.content.comparing import Row, compare
from myproject.content.fields import validate
from myproject.content.merging import FieldMerge, Outcome
from myproject.db.base import Base
from myproject.exceptions import InvalidValue
from myproject.views.fields import form_fields
from myproject.views.forms import Form

_ = TranslationStringFactory("myproject")

#: What may be chosen for a field that both have changed.
THEIRS, MINE, EDITED = "theirs", "mine", "edited"


@dataclass(frozen=True, slots=True)
class ShownMerge:
    """A field of a merge, as the screen shows it.

    :ivar rows: both versions beside each other.
    :ivar choices: name of the radio buttons for a conflict; of the text for ``edited`` it is
        *edited_name*.
    :ivar edited: what stands in the text for ``edited``.
    :ivar chosen: what was chosen; empty for nothing yet.
    :ivar certain: whether what is proposed has merged everything.
    """

    field: Field
    label: str
    outcome: str
    rows: Sequence[Row]
    choice_name: str
    edited_name: str
    edited: str
    chosen: str
    error: str
    proposed: bool
    lines: int


class Merging:
    """What was posted about a merge.

    :ivar form: what is wrong with it.
    """

    def __init__(
        self, request: Any, cls: type[Base], fields: Sequence[Field], *, incomplete: bool
    ) -> None:
        self.request, self.cls, self.incomplete = request, cls, incomplete
        self.fields = {field.name: field for field in fields}
        self.form = Form()

    def decided(self, merges: Sequence[FieldMerge]) -> dict[str, Any]:
        """Return what the fields are to be; what has not been decided is refused in the form."""
        values: dict[str, Any] = {}
        for merge in merges:
            if merge.outcome is not Outcome.CONFLICT:
                values[merge.name] = merge.value
                continue
            match posted(self.request, choice_name(merge.name)):
                case "theirs":
                    values[merge.name] = merge.theirs
                case "mine":
                    values[merge.name] = merge.mine
                case "edited" if merge.proposed:
                    self._edited(merge.name, values)
                case _:
                    error = InvalidValue(merge.name, _("Choose what it is to be."))
                    self.form.refuse(self.request, error)
        return values

    def _edited(self, name: str, values: dict[str, Any]) -> None:
        text = posted(self.request, edited_name(name))
        try:
            values |= validate(self.cls, {name: text}, incomplete=self.incomplete)
        except InvalidValue as error:
            self.form.refuse(self.request, error)


def choice_name(name: str) -> str:
    """Return the name of the buttons with which a field is decided."""
    return f"form-choice-{name}"


def edited_name(name: str) -> str:
    """Return the name of the text that somebody has made of a field."""
    return f"form-edited-{name}"


def posted(request: Any, name: str) -> str:
    """Return a text as it was posted."""
    value = request.POST.get(name, "")
    return value if isinstance(value, str) else ""


def shown_merge(
    request: Any,
    fields: Sequence[Field],
    merges: Sequence[FieldMerge],
    form: Form,
    *,
    decided: bool,
) -> list[ShownMerge]:
    """Return the fields of a merge that differ in both versions: first those to decide.

    :param decided: whether something was posted about them, which is shown again.
    """
    by_name = {field.name: field for field in fields}
    differing = [merge for merge in merges if merge.outcome is not Outcome.SAME]
    wanted = [by_name[merge.name] for merge in differing]
    sides = [
        form_fields(
            request, wanted, Form({merge.name: getattr(merge, side) for merge in differing})
        )
        for side in ("base", "theirs", "mine", "value")
    ]
    shown = []
    for merge, base, theirs, mine, value in zip(differing, *sides, strict=True):
        left, right = _words(request, theirs), _words(request, mine)
        if merge.outcome is Outcome.THEIRS:
            left, right = _words(request, base), left
        elif merge.outcome is Outcome.MINE:
            left = _words(request, base)
        typed = posted(request, edited_name(merge.name)) if decided else ""
        chosen = posted(request, choice_name(merge.name)) if decided else ""
        edited = typed or str(value.value)
        shown.append(
            ShownMerge(
                field=base.field,
                label=base.label,
                outcome=merge.outcome.value,
                rows=compare(left.replace("\r\n", "\n"), right.replace("\r\n", "\n")),
                choice_name=choice_name(merge.name),
                edited_name=edited_name(merge.name),
                edited=edited,
                chosen=chosen,
                error=form.errors.get(merge.name, ""),
                proposed=merge.proposed,
                lines=min(24, max(3, edited.count("\n") + 2)),
            )
        )
    return sorted(shown, key=lambda each: each.outcome != Outcome.CONFLICT)


def _words(request: Any, item: Any) -> str:
    """Return a field's value as people read it."""
    if isinstance(item.value, bool):
        return request.localizer.translate(_("yes") if item.value else _("no"))
    if item.place is not None:
        return f"{item.place.title} ({item.place.path})"
    labels = {str(value): label for value, label in item.choices}
    return labels.get(str(item.value), str(item.value))
