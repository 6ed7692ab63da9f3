"""Every screen with the plain theme: no rule of axe-core is broken, and nothing sticks out."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from myproject.addons.products.models import Product
from myproject.content.types import Folder
from myproject.testing import Site

pytestmark = pytest.mark.browser

LONG = "antidisestablishmentarianism" * 5
BODY = f"""
Text with `code`, [a link](https://example.org/), <kbd>Ctrl</kbd>, <mark>mark</mark>, a note[^1].

## Tables and {LONG}

| Left | A wide column that fits on no phone | And another one | And one more |
|:-----|-------------------------------------|-----------------|--------------|
| a    | {LONG}                              | `{LONG}`        | c            |

> A quotation.

> [!WARNING]
> {LONG}

### Code

```python
def hello(name: str) -> str:
    return f"Hello {{name}}"  # {LONG}
```

[^1]: The note.
"""
PUBLIC = [
    *("/", "/guide", "/guide/everything", "/guide/part-1", "/folder", "/folder/@@products"),
    *("/folder/cup", "/nothing", "/@@sign-in", "/@@search?q=text"),
]
SCREENS = [
    *("/guide", "/@@account", "/@@users", "/@@groups", "/@@audit", "/guide/@@sharing"),
    *("/guide/@@seo", "/@@users/new"),
]


@pytest.fixture(scope="module")
def site(sqlite_backend):
    url = sqlite_backend.create()
    site = Site(url, addons="search seo products theme-plain", site_title="A quiet site")
    site.add("/guide", "Welcome.", title="Guide", summary="How it is done.")
    for number in range(1, 5):
        site.add(f"/guide/part-{number}", title=f"Part {number}", summary="About it.")
    site.add("/guide/everything", BODY, title="Everything", summary="What Markdown can do.")
    site.add("/guide/everything/below", title=f"Below {LONG}")
    site.add("/folder", cls=Folder, title="Folder")
    site.add("/folder/cup", cls=Product, title="Cup", price=8, summary="Holds tea.")
    yield site
    site.close()
    sqlite_backend.drop(url)


@pytest.fixture(scope="module")
def address(site, serve):
    return serve(site.app)


def look_at(page, paths, width):
    for path in paths:
        page.goto(path)
        # Whatever can be opened is looked at, too.
        page.eval_on_selector_all("details", "all => all.forEach(each => each.open = true)")
        results = Axe().run(page)
        assert results.violations_count == 0, f"{path}\n{results.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_all_screens(site, address, open_context, scheme, width):
    context = open_context(width, color_scheme=scheme)
    page = context.new_page()
    look_at(page, PUBLIC, width)
    ((name, value),) = site.sign_in("ada", "administrator").cookies.items()
    context.add_cookies([{"name": name, "value": value, "url": address}])
    look_at(page, SCREENS, width)


def test_on_paper_there_is_the_text_alone(page):
    page.emulate_media(media="print")
    page.goto("/guide/everything")
    for selector in (".plain-section", ".plain-end", ".tools", ".pager", ".doc > .menu"):
        assert not page.locator(selector).first.is_visible(), selector
    assert page.locator("h1").is_visible()


def test_without_scripts(open_context):
    page = open_context(java_script_enabled=False).new_page()
    page.goto("/guide/everything")
    contents = page.locator(".toc a").first
    assert not contents.is_visible()
    page.locator(".doc > .menu summary").click()
    assert contents.is_visible()
    page.locator(".plain-section a", has_text="Part 3").click()
    assert page.locator("h1").inner_text() == "Part 3"
