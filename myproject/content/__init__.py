"""The content room: the registry of types, the built-in types, Markdown, references, transfer.

Knows no HTTP.
"""

from pyramid.config import Configurator
from pyramid.i18n import TranslationStringFactory

from myproject.content.copied import redirect_copied_references
from myproject.content.events import ContentSaved
from myproject.content.markup import MarkdownRenderer
from myproject.content.markup.rules import MarkupRules
from myproject.content.operations import refuse_incomplete
from myproject.content.publishing import DraftSaved
from myproject.content.types import Folder, Link, Page
from myproject.content.workflow import Reopening
from myproject.registry import registry_of
from myproject.tree.events import NodeCopied, NodeStateChanged

#: Ids of the frame that templates put around content; no heading may get one of them.
LAYOUT_IDS = ("site-main", "site-toc", "site-listing", "site-suggestions")

_ = TranslationStringFactory("myproject")


def make_renderer(rules: MarkupRules) -> MarkdownRenderer:
    """Return the renderer of a site, with what add-ons add."""
    return MarkdownRenderer(rules, reserved_ids=LAYOUT_IDS)


def includeme(config: Configurator) -> None:
    """Register the built-in types."""
    config.add_content_type(
        Page,
        _("Page"),
        description=_("Text, with pages below it."),
        incomplete_drafts=True,
    )
    config.add_content_type(Folder, _("Folder"), description=_("Only holds other pages."))
    config.add_content_type(Link, _("Link"), description=_("Leads to a page or a web address."))
    config.add_subscriber(redirect_copied_references, NodeCopied)
    config.add_subscriber(refuse_incomplete, NodeStateChanged)
    registry = registry_of(config)
    reopening = Reopening(registry.workflows, registry.notify)
    for event in (ContentSaved, DraftSaved, NodeStateChanged):
        config.add_subscriber(reopening, event)
