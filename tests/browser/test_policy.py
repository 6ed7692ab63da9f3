"""What a page may load and run, as a browser sees it; every other test notices violations, too."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

PART_2 = ".tree li:has(> a[href='/guide/part-2'])"
PICTURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">'
    '<rect width="9" height="9"/></svg>'
)
INLINE = """() => {
  const script = document.createElement("script");
  script.textContent = "window.ran = true";
  document.body.append(script);
  const button = document.createElement("button");
  button.setAttribute("onclick", "window.ran = true");
  document.body.append(button);
  button.click();
  return window.ran === true;
}"""
FOREIGN = """() => new Promise((resolve) => {
  const script = document.createElement("script");
  script.src = "/@@static/site.js";
  script.onload = () => resolve(true);
  script.onerror = () => resolve(false);
  document.body.append(script);
})"""


def test_nothing_on_our_pages_is_stopped(page):
    complaints = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    for path in ("/", "/guide/everything", "/folder"):
        page.goto(path)
    page.goto("/guide/part-1")
    page.locator(f"{PART_2} summary").click()
    expect(page.locator(f"{PART_2} a[href='/guide/part-2/a']")).to_be_visible()
    assert complaints == []
    for path in ("/nope", "/%00"):
        page.goto(path)
    assert [text for text in complaints if "status of 40" not in text] == []


@pytest.mark.parametrize("script", [INLINE, FOREIGN], ids=["inline", "without nonce"])
def test_a_script_that_is_not_ours_is_stopped_and_noticed(page, violations, script):
    page.goto("/guide")
    assert page.evaluate(script) is False
    for _ in range(100):
        if any("script-src" in text for text in violations):
            break
        page.wait_for_timeout(50)
    else:
        pytest.fail("nobody was told")
    # No more of them can come then.
    page.context.close()
    violations.clear()


def test_a_page_from_the_cache_still_runs_its_scripts(page):
    assert page.goto("/guide/part-1").status == 200
    nonce = "document.querySelector('script').nonce"
    first = page.evaluate(nonce)
    page.goto("/guide")
    with page.expect_response("**/guide/part-1") as caught:
        page.goto("/guide/part-1")
    assert "if-none-match" in caught.value.request.all_headers()
    assert page.evaluate(nonce) == first
    page.locator(f"{PART_2} summary").click()
    expect(page.locator(f"{PART_2} a[href='/guide/part-2/a']")).to_be_visible()


def test_pictures_are_shown_whether_they_are_ours_or_an_author_s(site, address, page):
    addresses = ("https://pictures.example/a.svg", "http://pictures.example/b.svg")
    site.add("/pictures", " ".join(f"![]({url})" for url in addresses))
    asked = []

    def answer(route):
        asked.append(route.request.url)
        route.fulfill(body=PICTURE, content_type="image/svg+xml")

    page.route("**/pictures.example/*", answer)
    # As readers reach it: over HTTPS, where browsers fetch all pictures by it.
    secure = "https://site.example"
    page.route(
        f"{secure}/**",
        lambda route: route.fulfill(
            response=route.fetch(url=route.request.url.replace(secure, address))
        ),
    )
    page.goto(f"{secure}/pictures")
    pictures = page.locator("img")
    expect(pictures).to_have_count(3)
    for number in range(3):
        pictures.nth(number).scroll_into_view_if_needed()
        expect(pictures.nth(number)).not_to_have_js_property("naturalWidth", 0)
    assert sorted(asked) == ["https://pictures.example/a.svg", "https://pictures.example/b.svg"]


def test_a_picture_that_is_opened_by_itself_is_shown_and_runs_nothing(page, violations):
    page.goto("/@@static/favicon.svg")
    assert page.evaluate("document.documentElement.querySelectorAll('rect').length") == 1
    assert page.evaluate("getComputedStyle(document.querySelector('rect')).fill") != ""
    page.evaluate("document.documentElement.setAttribute('onclick', 'window.ran = true')")
    page.locator("rect").click()
    assert page.evaluate("window.ran") is None
    assert violations
    violations.clear()
