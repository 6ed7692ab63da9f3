"""What functional tests share: requests spelled exactly, pages read by what is on them."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest
from webtest import TestApp, TestRequest, TestResponse

import myproject.testing
from myproject.testing import Site


@pytest.fixture(scope="session")
def links() -> Callable[[TestResponse], dict[str, str]]:
    """``links(response)``: href -> text, of every link on the page."""
    return myproject.testing.links


@pytest.fixture(scope="session")
def without_nonce() -> Callable[[str], str]:
    """``without_nonce(text)``: a page or its policy, but for what is different in each response."""
    return lambda text: re.sub(r"""(nonce[-=]"?)[0-9a-f]{32}(?=["'])""", r"\1", text)


@pytest.fixture(scope="session")
def fetch() -> Callable[..., TestResponse]:
    """``fetch(site, "/a%2Fb?x=1")``: a request whose target is spelled exactly like this.

    ``request_uri=False`` leaves out what only some servers tell; ``path_info`` and ``script_name``
    say what a server or a proxy made of the target; ``method``, ``headers`` as usual. The peer is
    ``REMOTE_ADDR="127.0.0.1"`` unless the test says otherwise.
    """

    def send(
        site: Site,
        target: str,
        *,
        method: str = "GET",
        headers: dict[str, str] | None = None,
        request_uri: bool = True,
        script_name: str = "",
        path_info: str | None = None,
        **environ: str,
    ) -> TestResponse:
        path, _, query = target.partition("?")
        if path_info is None:
            raw = unquote_to_bytes(path.encode("latin-1"))
            path_info = raw.decode("latin-1").removeprefix(script_name)
        environ = {
            "REMOTE_ADDR": "127.0.0.1",
            **environ,
            "REQUEST_METHOD": method,
            "PATH_INFO": path_info,
            "SCRIPT_NAME": script_name,
            "QUERY_STRING": query,
        }
        if request_uri:
            environ["REQUEST_URI"] = target
        request = TestRequest.blank("/", environ=environ, headers=headers)
        # Without WebTest's checks of the environment: servers do send what these tests send.
        return TestApp(site.app, lint=False).do_request(request, status="*", expect_errors=True)

    return send


@pytest.fixture(scope="session")
def write_catalog() -> Callable[[Path, Mapping[str, str]], None]:
    """``write_catalog(path, {"Copy": "Kopieren"})``: a catalog of translations."""
    return _write_catalog


def _write_catalog(path: Path, translations: Mapping[str, str]) -> None:
    """Write a file as msgfmt would (GNU gettext manual, section 10.3)."""
    entries = {"": "Content-Type: text/plain; charset=UTF-8\n", **translations}
    pairs = sorted((k.encode(), v.encode()) for k, v in entries.items())
    at, strings = 28 + 16 * len(pairs), b""
    tables: list[list[int]] = [[], []]
    for column in (0, 1):
        for pair in pairs:
            tables[column] += [len(pair[column]), at + len(strings)]
            strings += pair[column] + b"\0"
    header = (0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, at)
    numbers = [*header, *tables[0], *tables[1]]
    path.parent.mkdir(parents=True)
    path.write_bytes(struct.pack(f"<{len(numbers)}I", *numbers) + strings)
