"""What other add-ons can rely on: ``request.service(ISearch)``."""

from __future__ import annotations

from typing import Any

from zope.interface import Interface

# zope.interface contracts declare methods without ``self``; type checkers cannot know that.
# pyright: reportSelfClsParameterName=false, reportGeneralTypeIssues=false


class ISearch(Interface):
    """Finds what people write, among what they may see."""

    def find(text: str, within: Any = None, page: int = 1) -> Any:  # type: ignore[misc]
        """Return one page of results, :class:`myproject.addons.search.finding.Results`.

        :param text: whatever somebody typed; nothing in it is an error.
        :param within: the node to search below; everywhere when left out.
        :param page: from 1 on.
        """

    def suggest(text: str, within: Any = None) -> Any:  # type: ignore[misc]
        """Return the few :class:`myproject.addons.search.finding.Suggestion` whose titles have
        the words of a text, the last of which is still being typed."""

    def put(node: Any) -> None:  # type: ignore[misc]
        """Write what a node says into the index, in the session's transaction."""
