"""Static files: all that a page names is there, may be kept for a year, and changes its address."""

import re

import pytest


def references(page):
    return re.findall(r'(?:href|src)="(/%40%40static/[^"]+)"', page.text)


@pytest.mark.parametrize("path", ["/", "/nope"])
def test_everything_that_a_page_needs_is_served_and_kept(shared_site, fetch, path):
    found = references(fetch(shared_site, path))
    assert len(found) >= 6
    for address in found:
        response = fetch(shared_site, address)
        assert response.status_int == 200, address
        assert "max-age=31536000" in response.headers["Cache-Control"]
        assert re.search(r"\?v=[0-9a-f]{12}$", address)


def test_style_sheets_name_no_files_that_would_be_kept_too_long(shared_site, fetch):
    style = fetch(shared_site, "/@@static/site.css").text
    assert not re.search(r"url\((?![\"']?data:)", style)


def test_an_unchanged_file_is_confirmed(shared_site, fetch):
    date = fetch(shared_site, "/@@static/site.css").headers["Last-Modified"]
    headers = {"If-Modified-Since": date}
    assert fetch(shared_site, "/@@static/site.css", headers=headers).status_int == 304


@pytest.mark.parametrize(
    "path",
    ["nope.css", "", "vendor/", "/evil.example/", "..%2f..%2fboot.py", "%2e%2e/boot.py", "\\x"],
)
def test_nothing_else_is_served(shared_site, fetch, path):
    assert fetch(shared_site, f"/@@static/{path}").status_int in (400, 404)
