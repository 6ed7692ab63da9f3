"""The request of this application, with what every view needs made on first use."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pyramid.httpexceptions import HTTPBadRequest, HTTPNotFound
from pyramid.i18n import TranslationStringFactory
from pyramid.interfaces import IRequestExtensions, IRequestFactory
from pyramid.registry import Registry
from pyramid.request import Request as PyramidRequest
from sqlalchemy import select
from sqlalchemy.orm import Session

from myproject.content.plans import Planner
from myproject.content.workflow import Transitions
from myproject.interfaces import IDatabase
from myproject.scope import ScopeBase
from myproject.security.access import ANONYMOUS, Access, Policies
from myproject.security.identity import Identity
from myproject.security.logins import identify
from myproject.security.policy import LOGIN
from myproject.security.preferences import DEFAULTS, Preferences
from myproject.tree.actor import Actor
from myproject.tree.node import Node
from myproject.tree.site import SITE_ID, Site
from myproject.tree.traversal import SiteRoot
from myproject.tree.urls import SEGMENT_SAFE, join_path, names_of, virtual_root_of
from myproject.tree.visibility import Visibility

if TYPE_CHECKING:
    # What type checkers cannot see of Pyramid's: on an instance it is the value.
    reify = property
else:
    from pyramid.decorator import reify

_ = TranslationStringFactory("myproject")

#: Key of the WSGI environment that holds the request's id: all attempts at a request share it.
REQUEST_ID = "myproject.request_id"

#: The same for the nonce of a response's scripts, which the outermost layer puts into its policy.
CSP_NONCE = "myproject.csp_nonce"


class Request(ScopeBase, PyramidRequest):
    """A request that knows its database session, its tree, its services and its addresses."""

    #: Bytes of a body that is kept in memory; the text of a page need not go through a file.
    request_body_tempfile_limit = 8 << 20

    #: Set by the traverser: nodes from the root down to the context.
    lineage: Sequence[Node] = ()

    #: Set by the screen that shows an old version of a page as the page, for the layout:
    #: :class:`myproject.views.revision.Shown`.
    shown_revision: Any = None

    #: The same of a page's draft: :class:`myproject.views.newest.ShownDraft`.
    shown_draft: Any = None

    @reify
    def id(self) -> str:
        """The request's id, as in the log, on error pages and in the ``X-Request-ID`` header."""
        return self.environ.setdefault(REQUEST_ID, secrets.token_hex(8))

    @reify
    def csp_nonce(self) -> str:
        """What a script or a style element must carry to be run; other ones are not.

        Hexadecimal, so that nobody who searches a page's source for a word finds it in here.
        """
        return self.environ.setdefault(CSP_NONCE, secrets.token_hex(16))

    @property
    def GET(self) -> Any:
        """The query's parameters; what is not UTF-8 is a bad request, wherever it is read."""
        try:
            return super().GET
        except UnicodeDecodeError as error:
            raise HTTPBadRequest(_("The address is not valid UTF-8.")) from error

    @reify
    def dbsession(self) -> Session:
        """The session: a writing one inside the request's transaction, else one that only reads."""
        database = self.registry.getUtility(IDatabase)
        if "tm.active" in self.environ:
            return database.write_session(self.tm)
        session = database.read_session()
        self.add_finished_callback(lambda request: session.close())
        return session

    @reify
    def signed_in(self) -> Identity | None:
        """Who is signed in, if somebody is; one statement for those who have a login, else none."""
        if self.registry.session_cookie not in self.environ.get("HTTP_COOKIE", ""):
            return None
        session: Any = self.session
        token = session.get(LOGIN)
        return identify(self.dbsession, token) if isinstance(token, str) else None

    @property
    def recognized(self) -> Identity | None:
        """Who is signed in, if somebody has asked that before: takes no statement, ever."""
        return self.__dict__.get("signed_in")

    @property
    def preferences(self) -> Preferences:
        """What whoever asks has chosen; the defaults for visitors."""
        identity = self.signed_in
        return DEFAULTS if identity is None else identity.preferences

    @reify
    def policies(self) -> Policies:
        """All grants of the site, from memory unless they have changed."""
        revision = getattr(self, "access_revision", None)
        if revision is None:
            query = select(Site.access_revision).where(Site.id == SITE_ID)
            revision = self.dbsession.connection().scalar(query)
        keep = "tm.active" not in self.environ
        return self.registry.policies.get(self.dbsession, revision, keep=keep)

    @reify
    def access(self) -> Access:
        """What whoever asks may do, everywhere."""
        identity = self.signed_in
        return self.policies.access(ANONYMOUS if identity is None else identity.principals)

    @property
    def visibility(self) -> Visibility:
        """What whoever asks may see, for lists."""
        return self.access.visibility

    @reify
    def actor(self) -> Actor:
        """Who asks, for the record."""
        address = self.environ.get("REMOTE_ADDR", "")
        identity = self.signed_in
        return (
            Actor(None, "", address)
            if identity is None
            else Actor(identity.user_id, identity.name, address)
        )

    @reify
    def transitions(self) -> Transitions:
        """What whoever asks may do with pages by their workflows."""
        return Transitions(self.dbsession, self.registry.workflows, self.access, self.actor)

    @reify
    def planner(self) -> Planner:
        """Tells what operations would do, and what keeps whoever asks from doing them."""
        return Planner(
            self.dbsession,
            self.content_types,
            self.policies,
            self.access,
            self.registry.reserved_names,
        )

    @reify
    def mount(self) -> str:
        """The URL path that the site is mounted at, without a slash at the end; often empty."""
        return quote(self.environ.get("SCRIPT_NAME", "").encode("latin-1"), safe=SEGMENT_SAFE + "/")

    @property
    def canonical_host(self) -> str:
        """Scheme and host of the site as others are to know it, without a slash at the end."""
        return self.registry.settings["myproject.canonical_host"] or self.host_url

    @reify
    def canonical_base(self) -> str:
        """The canonical URL path of the node that traversal found, without a view name.

        :raises HTTPNotFound: when that is not below the virtual root, which then does not exist.
        """
        url = self.path_url_of(tuple([node.name for node in self.lineage[1:]]))
        if url is None:
            raise HTTPNotFound("The virtual root does not exist.")
        return url

    def resource_url(self, resource: Any, *elements: str, **kw: Any) -> str:
        """Return the absolute URL of *resource*; addresses of nodes end without a slash."""
        if elements and isinstance(resource, Node) and names_of(resource) != virtual_root_of(self):
            # The (virtual) root's address ends with a slash already.
            elements = ("", *elements)
        return super().resource_url(resource, *elements, **kw)

    def path_url_of(self, names: tuple[str, ...]) -> str | None:
        """Return the URL path for decoded *names* from the tree's root, as this client sees it.

        None for what is outside of the virtual root: it has no address here.
        """
        vroot = virtual_root_of(self)
        if names[: len(vroot)] != vroot:
            return None
        return self.mount + join_path(names[len(vroot) :])


def root_factory(request: Request) -> SiteRoot:
    """Return what traversal starts from; the root itself comes with the traversal's statement."""
    return SiteRoot(request.dbsession, request.content_types)


def freeze_request_class(registry: Registry) -> None:
    """Build the request class once, with every method and property that includes have added.

    Pyramid would otherwise make a new class for each request to carry added properties, which is
    among the most expensive things it does for a page.
    """
    extensions = registry.queryUtility(IRequestExtensions)
    if extensions is None:
        return
    base = registry.queryUtility(IRequestFactory) or Request
    added = {**extensions.methods, **extensions.descriptors}
    registry.registerUtility(type(base.__name__, (base,), added), IRequestFactory)
    extensions.methods.clear()
    extensions.descriptors.clear()
