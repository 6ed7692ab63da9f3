"""Slots: the places in templates where add-ons put their panels.

A panel that fails takes nothing else with it: what it wrote is taken back, the page is shown
without it, and the log says whose it was.
"""

from __future__ import annotations

import logging
import traceback
from contextlib import nullcontext
from functools import partial
from typing import Any

from markupsafe import Markup, escape
from pyramid_retry import is_error_retryable

from myproject.exceptions import in_words
from myproject.extend.points import Panel
from myproject.tree.node import Node
from myproject.views.times import to_local

log = logging.getLogger(__name__)


class Slots:
    """Fills the slots of one page.

    :param node: what the page is of; None for one that is of no node.
    :param anybody: whether the page is the same for all, so that nobody is to be looked up for it.
    """

    def __init__(self, request: Any, node: Node | None, *, anybody: bool = False) -> None:
        self.request = request
        self.node = node
        self.anybody = anybody
        self._panels = request.registry.extensions.panels

    def __call__(self, slot: str) -> Markup:
        """Return what the panels of *slot* show, in order."""
        panels = self._panels.get(slot)
        if not panels:
            return Markup("")
        shown = [self._show(panel) for panel in panels if self._is_wanted(panel)]
        return Markup("").join(shown)

    def _is_wanted(self, panel: Panel) -> bool:
        if panel.context is not None and not isinstance(self.node, panel.context):
            return False
        if panel.permission is None:
            return True
        if self.anybody:
            return False
        return bool(self.request.has_permission(panel.permission, self.node))

    def _show(self, panel: Panel) -> Markup:
        request = self.request
        # Where there is a transaction, a failed statement would spoil all that follow.
        writes = "tm.active" in request.environ
        try:
            with request.dbsession.begin_nested() if writes else nullcontext():
                return self._render(panel)
        except (Exception, SystemExit) as error:
            if is_error_retryable(request, error):
                raise
            log.exception("The panel %r of %s failed", panel.name, panel.origin)
            if not request.registry.settings["myproject.development"]:
                return Markup("")
            return _notice(panel, error)

    def _render(self, panel: Panel) -> Markup:
        request = self.request
        values = panel.panel(self.node, request)
        if values is None:
            return Markup("")
        if not panel.renderer:
            return escape(values)
        # Straight from the environment: what Pyramid's renderers add to each call takes longer than
        # a small template does.
        template = request.registry.templates.get_template(panel.renderer)
        translate = request.registry.messages(request).__getitem__
        common = {"_": translate, "request": request, "local": partial(to_local, request)}
        html = template.render({**common, **values})
        return Markup(html)  # noqa: S704 - a template's output, whose values it has escaped


def _notice(panel: Panel, error: BaseException) -> Markup:
    """Return what a developer sees in the place of a panel that failed."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return Markup(
        '<div class="panel-error" role="alert"><strong>{} / {}</strong><p>{}</p>'
        "<p>{}, line {}<br>registered by {}</p></div>"
    ).format(
        *(panel.slot, panel.name, in_words(error)),
        *(frame.filename, frame.lineno, panel.origin),
    )
