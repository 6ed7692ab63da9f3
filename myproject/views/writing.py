"""What the screens on which people write have in common: adding a page and editing one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pyramid.i18n import TranslationStringFactory

from myproject.content.columns import REFERENCE, Field
from myproject.content.scratch import Scratch, load_scratch
from myproject.exceptions import InvalidValue
from myproject.tree.node import Node
from myproject.views.fields import FormField, form_fields
from myproject.views.forms import Form
from myproject.views.keeping import TOKEN, posted_texts

_ = TranslationStringFactory("myproject")

#: Fields whose values are stored without space around.
_STRIPPED = frozenset({"title", "nav_title", "summary"})


def is_long_text(field: Field) -> bool:
    """Whether a field's value is a text of any length, which is merged by lines."""
    return field.kind == "text" and field.max_length is None and not field.choices


def stripped(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as they will be stored, so that what is the same is seen to be."""
    return {
        name: value.strip() if name in _STRIPPED and isinstance(value, str) else value
        for name, value in values.items()
    }


def check_lengths(request: Any, values: dict[str, Any], form: Form) -> None:
    """Refuse texts that are longer than the site allows."""
    limit = request.registry.settings["myproject.text_limit"]
    for name, value in list(values.items()):
        if isinstance(value, str) and len(value) > limit:
            del values[name]
            message = _(
                "This text is longer than ${limit} characters. Make several pages of it.",
                mapping={"limit": f"{limit:,}"},
            )
            form.refuse(request, InvalidValue(name, message))


def scratch_of(request: Any, node: Node, purpose: str) -> Scratch | None:
    """Return what whoever asks has begun here and not saved."""
    return load_scratch(request.dbsession, request.signed_in.user_id, node.id, purpose)


def kept_values(request: Any) -> dict[str, str]:
    """Return what a form holds, to be kept while it is being written."""
    # Of several values under one name the last one, as forms read them.
    return {name: value for name, value in posted_texts(request) if not _is_own(name)}


def _is_own(name: str) -> bool:
    return name == TOKEN or (name.startswith("form-") and name != "form-comment")


def typed_again(fields: Iterable[Field], kept: Mapping[str, str]) -> dict[str, Any]:
    """Return what a form holds once what was kept of it is filled in again."""
    return {
        field.name: field.name in kept if field.type is bool else kept.get(field.name, "")
        for field in fields
    }


def says_the_same(one: Sequence[FormField], other: Sequence[FormField]) -> bool:
    """Whether two forms hold the same, whatever line ends a browser has made of it."""
    return [_plain(item) for item in one] == [_plain(item) for item in other]


def _plain(item: FormField) -> Any:
    return item.value.replace("\r\n", "\n") if isinstance(item.value, str) else item.value


def as_typed(
    request: Any, fields: Iterable[Field], values: Mapping[str, Any]
) -> list[tuple[str, str]]:
    """Return values as a form would send them."""
    pairs = []
    for item in form_fields(request, fields, Form(values)):
        if item.field.type is bool:
            pairs += [(item.field.name, "1")] if item.value else []
        elif item.field.kind == REFERENCE and isinstance(values.get(item.field.name), int):
            pairs.append((item.field.name, f"node:{values[item.field.name]}"))
        else:
            pairs.append((item.field.name, str(item.value)))
    return pairs
