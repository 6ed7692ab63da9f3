"""Random trees with drafts and private places: the search against a walk over all of it."""

from __future__ import annotations

import random

import pytest

from myproject.content.types import Folder
from myproject.tree.node import DRAFT, PUBLISHED

WORDS = ("apple", "pear", "plum")
SIZE = 60


@pytest.fixture(scope="module", params=[1, 2, 3])
def grown(request, make_shared_site):
    """A random tree below a section, and the people who look at it."""
    site = make_shared_site(addons="search")
    chance = random.Random(request.param)
    top = f"/seed{request.param}"
    site.add(top, title="Top")
    paths = [top]
    for number in range(SIZE):
        path = f"{chance.choice(paths)}/n{number}"
        cls = Folder if chance.random() < 0.2 else None
        fields = {"state": DRAFT if chance.random() < 0.15 else PUBLISHED}
        title = f"{chance.choice(WORDS)} {number}"
        if cls is None:
            site.add(path, " ".join(chance.choices(WORDS, k=2)), title=title, **fields)
        else:
            site.add(path, cls=cls, title=title, **fields)
        paths.append(path)
    for path in chance.sample(paths[1:], 5):
        site.make_private(path)
    for path, role in zip(chance.sample(paths[1:], 4), ("reader", "author") * 2, strict=True):
        site.grant("ann", role, path)
    site.grant("ada", "administrator")
    clients = {"nobody": site.client, "ann": site.sign_in("ann"), "ada": site.sign_in("ada")}
    return site, paths, clients


def texts(site, path):
    with site.tree() as tree:
        node = site.node(tree, path)
        return f"{node.title} {getattr(node, 'body', '')}"


@pytest.mark.parametrize("who", ["nobody", "ann", "ada"])
def test_what_is_found_is_what_can_be_opened(grown, who):
    site, paths, clients = grown
    client = clients[who]
    readable = {path for path in paths if client.get(path, status="*").status_int == 200}
    for word in WORDS:
        wanted = {path for path in readable if word in texts(site, path)}
        for section in random.Random(word).sample(sorted(readable), min(4, len(readable))):
            below = {p for p in wanted if p == section or p.startswith(f"{section}/")}
            seen = set()
            for page in ("1", "2", "3", "4"):
                html = client.get(f"{section}/@@search", {"q": word, "page": page}).html
                seen |= {link["href"] for link in html.select(".search-results h2 a")}
            assert seen == below
