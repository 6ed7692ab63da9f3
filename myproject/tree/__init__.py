"""The tree room: nodes, names, traversal, URLs and the operations that change structure.

Knows no HTTP: requests appear only where Pyramid's own contracts (``ITraverser``,
``IResourceURL``) hand them in.
"""

from pyramid.config import Configurator
from pyramid.interfaces import IRequest, IResourceURL, ITraverser
from sqlalchemy import event

from myproject.interfaces import INode
from myproject.registry import registry_of
from myproject.tree.hits import Hits
from myproject.tree.site import count_revision
from myproject.tree.traversal import NodeTraverser, NoRoot, NoTraverser, SiteRoot, SiteTraverser
from myproject.tree.urls import NodeURL


def includeme(config: Configurator) -> None:
    """Have Pyramid traverse the tree and make URLs of nodes."""
    registry = registry_of(config)
    registry.registerAdapter(SiteTraverser, (SiteRoot,), ITraverser)
    registry.registerAdapter(NoTraverser, (NoRoot,), ITraverser)
    registry.registerAdapter(NodeTraverser, (INode,), ITraverser)
    registry.registerAdapter(NodeURL, (INode, IRequest), IResourceURL)
    registry.redirect_hits = Hits(registry.database)
    event.listen(registry.database.writers, "before_commit", count_revision)
