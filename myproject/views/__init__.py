"""The views room: one module per screen, and the shell around them.

Views are thin: read the input, call one operation or query, return. Nothing here writes
structure.
"""

from pyramid.config import Configurator

from myproject.views.request import Request, root_factory


def includeme(config: Configurator) -> None:
    """Register the shell (request, access, derivers, static files) and all screens."""
    config.set_request_factory(Request)
    config.set_root_factory(root_factory)
    shell = ("static", "mapping", "derivers", "newest", "bodies", "access", "rendering")
    parts = ("menus", "fields", "bar")
    for module in (*shell, *parts):
        config.include(f"myproject.views.{module}")
    reading = ("page", "link", "source", "data", "children", "errors", "health")
    editing = ("completion", "preview")
    writing = ("keeping", "editing", "adding", "naming", "autosave")
    arranging = ("contents", "reordering", "sidebar", "operations", "moving", "trash")
    sharing = ("sharing", "sharing_many")
    past = ("history", "revision", "restoring", "timeline", "activity_feed", "activity", "planned")
    publishing = ("discarding", "scheduling", "preview_links")
    managing = (*sharing, "users", "user", "groups", "redirects", "backlinks", "audit")
    own = ("sign_in", "password", "account", "preferences", "palette")
    for screen in (*reading, *own, *editing, *writing, *arranging, *past, *publishing, *managing):
        config.include(f"myproject.views.{screen}")
