"""A site with everything that there is to look at, served by Waitress."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from myproject.content import types
from myproject.testing import Site, SQLite
from myproject.tree.node import ROOT_ID, Node

LONG = "antidisestablishmentarianism" * 6
BODY = f"""
Text with `code`, [a link](https://example.org/), <kbd>Ctrl</kbd>, <mark>mark</mark>, a note[^1].

## Tables and {LONG}

| Left | Centre | Right | A wide column that fits on no phone | And another one | And one more |
|:-----|:------:|------:|-------------------------------------|-----------------|--------------|
| a    | b      | 1.00  | {LONG}                              | `{LONG}`        | c            |

<table><tr><th>Raw</th><td>{LONG}</td></tr></table>

### Tasks

- [x] done
- [ ] open

> [!NOTE]
> {LONG}

> [!TIP] A title
> Tip.

> [!IMPORTANT]
> Important.

> [!WARNING]
> Warning.

> [!CAUTION]
> Caution.

## Code

```python {{file="app/main.py"}}
def hello(name: str) -> str:
    return f"Hello {{name}}"  # {LONG}
```

```diff
- old
+ new
```

    indented {LONG}

### Definitions

Term
: {LONG}

<details><summary>More</summary>

Hidden.

</details>

{LONG} and a [broken link](node:999999999).

[^1]: The note.
"""


def _fill(site: Site) -> None:
    with site.tree() as tree:
        root = tree.session.get_one(Node, ROOT_ID)
        root.title, root.summary = "A site to look at", "It shows everything that there is."
    site.add("/guide", "Welcome.", title="Guide", summary="How it is done.")
    for number in range(1, 6):
        site.add(f"/guide/part-{number}", title=f"Part {number}", summary="About it.")
    for name in "abc":
        site.add(f"/guide/part-2/{name}", title=f"Part 2{name}")
    site.add("/guide/part-2/a/deep", title="Deep")
    site.add("/guide/everything", BODY, title="Everything", summary="What Markdown can do.")
    site.add("/guide/everything/below", title=f"Below {LONG}")
    site.add("/folder", cls=types.Folder, title="Folder")
    for number in range(60):
        site.add(f"/folder/p{number}", title=f"Page {number}")
    site.add("/gone", cls=types.Link, title="Gone")


@pytest.fixture(scope="session")
def site(sqlite_backend: SQLite) -> Iterator[Site]:
    url = sqlite_backend.create()
    site = Site(url)
    _fill(site)
    yield site
    site.database.dispose()
    sqlite_backend.drop(url)


@pytest.fixture(scope="session")
def address(site: Site, serve: Callable[[Any], str]) -> str:
    """Where the site is served."""
    return serve(site.app)
