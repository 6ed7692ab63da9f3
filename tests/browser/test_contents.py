"""The list of contents and the tree beside it: by pointer, by keyboard, and what axe-core says."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from myproject.content.types import Page
from myproject.testing import sign_in
from myproject.tree.node import DRAFT, PUBLISHED

pytestmark = pytest.mark.browser

URL = "/sorted/@@contents"
NAMES = ["Ant", "Bee", "Cow", "Dog", "Elk", "Fox"]


@pytest.fixture(scope="module")
def cookie(site, address):
    """Of a manager of a section with six pages, and one with sixty."""
    site.add("/sorted", title="Sorted")
    for name in NAMES:
        state = DRAFT if name == "Dog" else PUBLISHED
        site.add(f"/sorted/{name.lower()}", title=name, state=state)
    site.add("/sorted/bee/hive", title="Hive")
    site.add("/sorted/bee/hive/cell", title="Cell")
    site.add("/long", title="Long")
    with site.tree() as tree:
        pages = [Page(title=f"Page {n}", name=f"p{n:02}") for n in range(60)]
        tree.add_many(site.node(tree, "/long"), pages)
    ((name, value),) = sign_in(site, "max", "manager").cookies.items()
    return {"name": name, "value": value, "url": address}


@pytest.fixture
def open_as_manager(open_context, cookie):
    def open_page(width=1440, **options):
        context = open_context(width, **options)
        context.add_cookies([cookie])
        return context.new_page()

    return open_page


def titles(page):
    return page.locator(".listed tbody .title-cell > a:first-child").all_inner_texts()


def put_in_order(site):
    with site.tree() as tree:
        for name in NAMES:
            tree.reorder(site.node(tree, f"/sorted/{name.lower()}"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_no_rule_is_broken_and_nothing_sticks_out(open_as_manager, width, scheme):
    page = open_as_manager(width, color_scheme=scheme)

    def look(what):
        results = Axe().run(page)
        assert results.violations_count == 0, f"{what}\n{results.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth") <= width, what

    page.goto(URL)
    if width < 960:
        page.locator("details.menu > summary").click()
    page.locator(".check-cell input[name=ids]").nth(1).check()
    look("list")
    page.locator(".row-menu > summary").nth(1).click()
    look("menu of a row")
    page.keyboard.press("Escape")
    page.locator(".bar-menu > summary", has_text="More").click()
    look("menu of the bar")
    page.keyboard.press("Escape")
    page.get_by_label("Find a page by its title").fill("hive")
    page.locator(".outline-found a").wait_for()
    look("found")
    page.locator(".bulk").get_by_role("button", name="Share").click()
    page.get_by_label("Everyone").check()
    look("sharing many")
    page.get_by_role("button", name="Give the role").click()
    page.get_by_role("button", name="Yes, change it").wait_for()
    look("the question")
    page.goto(f"{URL}?q=nothing-is-called-so")
    look("nothing found")
    page.goto("/sorted/bee")
    look("the page itself")


def test_a_row_is_dragged_to_its_place(site, open_as_manager):
    put_in_order(site)
    page = open_as_manager()
    page.goto(URL)
    grip = page.locator("tr", has_text="Elk").locator(".grip")
    target = page.locator("tr", has_text="Bee").bounding_box()
    start = grip.bounding_box()
    page.mouse.move(start["x"] + 8, start["y"] + 8)
    page.mouse.down()
    page.mouse.move(target["x"] + 8, target["y"] + target["height"] / 2 + 4, steps=5)
    page.mouse.move(target["x"] + 8, target["y"] + 4, steps=3)
    assert titles(page) == ["Ant", "Elk", "Bee", "Cow", "Dog", "Fox"]
    with page.expect_response("**/@@reorder"):
        page.mouse.up()
    page.locator("tr.just-moved", has_text="Elk").wait_for()
    page.reload()
    assert titles(page) == ["Ant", "Elk", "Bee", "Cow", "Dog", "Fox"]
    # Escape takes it back, and nothing is sent.
    grip = page.locator("tr", has_text="Fox").locator(".grip")
    start = grip.bounding_box()
    page.mouse.move(start["x"] + 8, start["y"] + 8)
    page.mouse.down()
    page.mouse.move(start["x"] + 8, start["y"] - 120, steps=4)
    assert titles(page)[-1] != "Fox"
    page.keyboard.press("Escape")
    page.mouse.up()
    assert titles(page) == ["Ant", "Elk", "Bee", "Cow", "Dog", "Fox"]


def test_the_keyboard_does_the_same(site, open_as_manager):
    put_in_order(site)
    page = open_as_manager()
    page.goto(URL)
    said = page.locator(".announce")
    page.get_by_role("button", name="Move: Elk").focus()
    page.keyboard.press("Space")
    assert "Lifted “Elk”" in said.inner_text()
    for _ in range(3):
        page.keyboard.press("ArrowUp")
    assert "“Elk” is number 2 of 6 on this page." in said.inner_text()
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Move: Elk"
    with page.expect_response("**/@@reorder"):
        page.keyboard.press("Space")
    page.locator("tr.just-moved", has_text="Elk").wait_for()
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Move: Elk"
    page.locator(".announce", has_text="Dropped “Elk”.").wait_for(state="attached")
    expected = ["Ant", "Elk", "Bee", "Cow", "Dog", "Fox"]
    assert titles(page) == expected
    page.reload()
    assert titles(page) == expected
    page.get_by_role("button", name="Move: Ant").focus()
    for key in ("Space", "End", "Escape"):
        page.keyboard.press(key)
    assert titles(page) == expected
    assert "“Ant” is back where it was." in page.locator(".announce").inner_text()


def test_a_neighbour_that_has_gone_is_told_and_the_list_shown_anew(site, open_as_manager):
    put_in_order(site)
    site.add("/sorted/gnu", title="Gnu")
    page = open_as_manager()
    page.goto(URL)
    with site.tree() as tree:
        tree.purge(site.node(tree, "/sorted/gnu"))
    page.get_by_role("button", name="Move: Ant").focus()
    for key in ("Space", "End", "ArrowUp", "Space"):
        page.keyboard.press(key)
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert "no longer in this list" in alert.inner_text()
    assert titles(page) == NAMES


def test_what_is_chosen_is_remembered_across_pages_and_posted(open_as_manager):
    page = open_as_manager()
    page.goto("/long/@@contents")
    assert not page.locator(".bulk").is_visible()
    boxes = page.locator(".check-cell input[name=ids]")
    boxes.nth(1).click()
    boxes.nth(4).click(modifiers=["Shift"])
    assert page.locator(".bulk-count").inner_text() == "4 chosen"
    page.locator(".list-pages a[rel=next]").click()
    page.locator("tr", has_text="Page 59").wait_for()
    assert page.locator(".bulk-count").inner_text() == "4 chosen"
    page.get_by_label("Choose all on this page").check()
    assert page.locator(".bulk-count").inner_text() == "14 chosen"
    page.get_by_role("button", name="Choose none").click()
    assert not page.locator(".bulk").is_visible()
    page.goto("/long/@@contents")
    page.get_by_role("button", name="Choose all 60").click()
    page.locator(".bulk-count", has_text="60 chosen").wait_for()
    with page.expect_request("**/long/@@move") as sent:
        page.locator(".bulk").get_by_role("button", name="Move").click()
    assert sent.value.post_data.count("ids=") == 60
    # Nothing was done, so it is all still chosen.
    page.goto("/long/@@contents")
    assert page.locator(".bulk-count").inner_text() == "60 chosen"


def test_the_tree_is_walked_with_arrow_keys_and_stays_open(open_as_manager):
    page = open_as_manager()
    page.goto("/sorted/@@contents")

    def here():
        return page.evaluate("document.activeElement.childNodes[0].textContent.trim()")

    tree = page.get_by_role("tree")
    tree.locator("[aria-current]").focus()
    assert tree.locator("[tabindex='0']").count() == 1
    page.keyboard.press("ArrowDown")
    assert here() == titles(page)[0]
    page.keyboard.press("b")
    assert here() == "Bee"
    page.keyboard.press("ArrowRight")
    hive = tree.get_by_role("treeitem", name="Hive")
    hive.wait_for()
    page.keyboard.press("ArrowRight")
    assert here() == "Hive"
    page.keyboard.press("ArrowRight")
    tree.get_by_role("treeitem", name="Cell").wait_for()
    page.keyboard.press("ArrowLeft")
    assert not tree.get_by_role("treeitem", name="Cell").is_visible()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert here() == "Bee"
    page.keyboard.press("Home")
    assert here() == "A site to look at"
    page.keyboard.press("End")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Home")
    # What was open is open on the next screen.
    page.goto("/sorted/@@sharing")
    tree.get_by_role("treeitem", name="Hive").wait_for()
    item = tree.get_by_role("treeitem", name="Bee")
    assert item.get_attribute("aria-expanded") == "true"
    # Branches go on where there are many.
    long = tree.get_by_role("treeitem", name="Long")
    long.focus()
    page.keyboard.press("ArrowRight")
    tree.get_by_role("treeitem", name="More pages").click()
    tree.get_by_role("treeitem", name="Page 59").wait_for()
    assert tree.locator("li", has_text="Page 5").filter(has_not=page.locator("ul")).count() == 11
