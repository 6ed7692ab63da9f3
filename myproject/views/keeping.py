"""Forms that could not be taken, and are not lost for it.

Whoever has written for an hour and then sends a form whose token is no longer good, whose login has
ended, or whose page somebody has removed in the meantime, gets back what they have written: in the
same form, or in one that signs them in and saves it then, or at the least to copy it.

Screens register their forms with :func:`keep_form_of`. What such a form sends besides its fields
has names with a hyphen, which no field can have.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPBadRequest
from pyramid.i18n import TranslationStringFactory
from pyramid.renderers import render_to_response
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED

from myproject.content.columns import editable_fields
from myproject.exceptions import SignInRefused, TooManyAttempts
from myproject.registry import registry_of
from myproject.security import seals
from myproject.security.logins import user_of
from myproject.security.models import User
from myproject.security.seals import Seal
from myproject.translation import translated
from myproject.tree.node import Node
from myproject.tree.site import leave_revision
from myproject.tree.traversal import no_root
from myproject.views.addresses import here, safe_next
from myproject.views.bodies import is_too_large
from myproject.views.derivers import is_from_elsewhere
from myproject.views.forms import Form, see_other, text_of, typed_password
from myproject.views.rendering import TEMPLATES, layout
from myproject.views.sign_in import begin, small_screen, try_password

_ = TranslationStringFactory("myproject")

#: What forms send besides their fields.
SEAL, BASE, SEEN, COMMENT, DO = "form-seal", "form-base", "form-seen", "form-comment", "form-do"
TOKEN = "csrf_token"  # noqa: S105 - the name of a field

#: Fields of a form that are carried through signing in.
_MOST = 500


class KeptForm(NamedTuple):
    """How a form is shown again.

    :ivar again: ``(context, request, message, status)`` -> the template's values, or a response,
        with what was typed and *message* on top.
    :ivar template: asset spec.
    """

    again: Callable[[Any, Any, Any, int], Any]
    template: str


class Problem(NamedTuple):
    """Why a form is not taken as it came."""

    message: Any
    status: int


def keep_form_of(config: Configurator, view: str, again: Callable[..., Any], template: str) -> None:
    """Have what was typed into the form of a view shown again whatever becomes of the request.

    :param view: the name of the view that it is posted to.
    """
    registry = registry_of(config)
    registry.kept_forms = {**registry.kept_forms, view: KeptForm(again, template)}


def sealed(request: Any, node: Node, purpose: str) -> str:
    """Return the seal of a form that is opened now by whoever asks."""
    return seals.close(request.registry.seal_key, Seal(request.signed_in.user_id, node.id, purpose))


def seal_of(request: Any) -> Seal | None:
    """Return the seal of a form that was posted, if it has one of ours."""
    return seals.read(request.registry.seal_key, text_of(request, SEAL, 300))


def problem_with(request: Any) -> Problem | None:
    """Return why a form with a good token cannot be taken all the same: it is too large, or it is
    somebody else's."""
    if is_too_large(request):
        return Problem(too_large(request), 413)
    seal = seal_of(request)
    if seal is not None and seal.user_id != request.signed_in.user_id:
        message = _(
            "${who} opened this form, and you are signed in as ${you}. Nothing has been saved. "
            "If you save it now, it is saved in your name.",
            mapping={"who": name_of(request, seal.user_id), "you": request.signed_in.title},
        )
        return Problem(message, 409)
    return None


def too_large(request: Any) -> Any:
    """Say that a form is too large."""
    size = request.registry.settings["myproject.max_form_size"]
    return _(
        "This is more than can be saved at once: at most ${size} MB. Nothing has been saved. "
        "Make several pages of it.",
        mapping={"size": f"{size / 1_000_000:.3g}"},
    )


def name_of(request: Any, user_id: int) -> str:
    """Return what somebody is called."""
    user = request.dbsession.get(User, user_id)
    return request.localizer.translate(_("Somebody else")) if user is None else user.title


def posted_texts(request: Any) -> list[tuple[str, str]]:
    """Return name and value of all that was posted and is no file, but for the token."""
    pairs = [(name, value) for name, value in request.POST.items() if isinstance(value, str)]
    return [(name, value) for name, value in pairs if name != TOKEN]


# -- what error pages ask ------------------------------------------------------------------------


def form_again(request: Any) -> Response | None:
    """Return the form of a request whose token is not good; None if it is not one of ours."""
    form = request.registry.kept_forms.get(getattr(request, "view_name", ""))
    if form is None or request.signed_in is None or is_from_elsewhere(request):
        return None
    if is_too_large(request):
        message, status = too_large(request), 413
    else:
        message, status = (
            _(
                "This form was out of date, because you have signed in again since you opened it. "
                "What you have written is all here. Please save it once more."
            ),
            400,
        )
    values = form.again(request.context, request, message, status)
    return values if isinstance(values, Response) else _page(request, form.template, values, status)


def lost_form(request: Any) -> Response | None:
    """Return what is shown to somebody who has posted a form of ours and may not, or whose page is
    gone: the way to sign in and save it, or what they have written. None for all other requests.
    """
    name = request.path_info.rpartition("/")[2]
    is_ours = name.startswith("@@") and name[2:] in request.registry.kept_forms
    if request.method != "POST" or not is_ours or is_from_elsewhere(request):
        return None
    if request.content_length is None or is_too_large(request):
        return None
    seal, identity = seal_of(request), request.signed_in
    if seal is None or (identity is not None and identity.user_id != seal.user_id):
        # Nobody's form, or another person's: it tells nothing of what is here.
        return None
    if identity is None:
        kept = json.dumps(posted_texts(request))
        values = _sign_in_values(request, Form({"next": here(request)}), kept, seal)
        return _page(request, f"{TEMPLATES}kept.jinja2", values, 403)
    gone = request.exception.code == 404 if hasattr(request.exception, "code") else False
    values = {
        **layout(request, _("Not saved") if not gone else _("This page is gone")),
        "gone": gone,
        "texts": _readable(request, posted_texts(request)),
    }
    return _page(request, f"{TEMPLATES}lost.jinja2", values, 404 if gone else 403)


def _readable(request: Any, pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return what somebody has written, with the labels of the fields."""
    labels: dict[str, Any] = {}
    for content_type in request.content_types:
        labels |= {field.name: field.label for field in editable_fields(content_type.cls)}
    translate = request.localizer.translate
    return [
        (translate(labels[name]), value)
        for name, value in pairs
        if name in labels and value.strip()
    ]


def _page(request: Any, template: str, values: Mapping[str, Any], status: int) -> Response:
    response = Response()
    response.text = render_to_response(template, values, request).text
    response.status_int = status
    response.cache_control = "no-store"
    return response


# -- signing in with a form in hand --------------------------------------------------------------


def resume(request: Any) -> Any:
    """Sign somebody in who has posted a form without being signed in any more, and hand them the
    form with everything that was in it: to save it, or to go on with it."""
    leave_revision(request.dbsession)
    kept = str(request.POST.get("kept", ""))
    pairs = _pairs_in(kept)
    seal = seals.read(request.registry.seal_key, dict(pairs).get(SEAL, ""))
    if seal is None:
        raise HTTPBadRequest(_("This is no form of this site."))
    wanted = safe_next(request, text_of(request, "next"))
    view = wanted.partition("?")[0].rpartition("/@@")[2]
    if view not in request.registry.kept_forms:
        # It leads nowhere but to where such a form comes from.
        raise HTTPBadRequest(_("This is no form of this site."))
    if request.signed_in is not None:
        # In another window, while this one was open.
        identity = request.signed_in
        return _continued(request, pairs, seal, wanted, identity.user_id, identity.title)
    account = text_of(request, "name", 300)
    form = Form({"name": account, "next": wanted})
    try:
        tried = try_password(request, account, typed_password(request, "password"))
        user = user_of(request.dbsession, tried)
    except TooManyAttempts as error:
        request.response.headers["Retry-After"] = str(error.seconds)
        return _sign_in_values(request, form, kept, seal, 429, error.message)
    except SignInRefused as error:
        return _sign_in_values(request, form, kept, seal, 422, error.message)
    begin(request, user)
    return _continued(request, pairs, seal, wanted, user.id, user.title)


def resume_nothing(request: Any) -> Any:
    """Lead on who comes here without a form."""
    return see_other(request, request.mount + "/@@sign-in")


def _sign_in_values(
    request: Any, form: Form, kept: str, seal: Seal, status: int = 403, message: Any = ""
) -> dict[str, Any]:
    values = small_screen(
        request,
        _("Sign in to save"),
        status,
        form=form,
        message=translated(request.localizer, message),
    )
    return {
        **values,
        "kept": kept,
        "who": name_of(request, seal.user_id),
        "texts": _readable(request, _pairs_in(kept)),
    }


def _continued(
    request: Any,
    pairs: list[tuple[str, str]],
    seal: Seal,
    wanted: str,
    user_id: int,
    title: str,
) -> Response:
    """Return the page on which the form is sent once more, now by somebody who is signed in."""
    fresh = seals.close(request.registry.seal_key, seal._replace(user_id=user_id))
    carried = [(name, value) for name, value in pairs if name not in (SEAL, DO)]
    do = dict(pairs).get(DO, "")
    values = {
        **small_screen(request, _("You are signed in again"), 200),
        "pairs": [*carried, (SEAL, fresh)],
        "do": do if do in ("save", "view", "publish", "merge") else "save",
        "next": wanted,
        "you": title,
        "other": None if user_id == seal.user_id else name_of(request, seal.user_id),
        "texts": _readable(request, pairs),
    }
    # The cookie of the new login comes with request.response.
    response = request.response
    response.text = render_to_response(f"{TEMPLATES}resumed.jinja2", values, request).text
    return response


def _pairs_in(kept: str) -> list[tuple[str, str]]:
    """Return the fields that a form has carried through signing in; none if they make no sense."""
    try:
        pairs = json.loads(kept)
    except (ValueError, RecursionError):
        return []
    if not isinstance(pairs, list) or len(pairs) > _MOST:
        return []
    for pair in pairs:
        if not (isinstance(pair, list) and [type(part) for part in pair] == [str, str]):
            return []
    return [(name, value) for name, value in pairs if name != TOKEN]


def includeme(config: Configurator) -> None:
    """Register the way back in."""
    config.add_route("resume", "/@@resume", factory=no_root)
    for method, view in (("GET", resume_nothing), ("POST", resume)):
        config.add_view(
            view,
            route_name="resume",
            request_method=method,
            permission=NO_PERMISSION_REQUIRED,
            renderer=f"{TEMPLATES}kept.jinja2",
        )
