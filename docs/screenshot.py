"""Takes the pictures of the README and of the guide to editing, in a headless Chromium.

Run by ``make screenshots``. Needs Chromium on the PATH, or CHROMIUM naming it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from functools import partial
from pathlib import Path

from click.testing import CliRunner
from playwright.sync_api import sync_playwright
from waitress.server import create_server

from myproject import create_app
from myproject.cli import main

PICTURE = Path(__file__).with_name("screenshot.png")
EDITING = Path(__file__).with_name("editing.png")
PASSWORD = "for-a-picture-only"  # noqa: S105 - of a database that is thrown away
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]


SETTINGS = {
    "myproject.site_title": "myproject",
    "myproject.development": "true",
    "myproject.https": "false",
}


def take(host: str) -> None:
    """Write the pictures of a page, read and edited."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 800}, color_scheme="light")
        page.goto(f"{host}/reading/markdown")
        page.screenshot(path=PICTURE)
        page.goto(f"{host}/@@sign-in?next=/reading/markdown/@@edit")
        page.fill("[name=name]", "admin")
        page.fill("[name=password]", PASSWORD)
        page.click("main button")
        page.wait_for_selector(".cm-content")
        # The preview beside it comes from the server.
        page.wait_for_timeout(2000)
        page.screenshot(path=EDITING)
        browser.close()


def run() -> None:
    """Serve the demo from a temporary database and take its picture."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MYPROJECT__SQLALCHEMY__URL"] = f"sqlite:///{folder}/demo.sqlite"
        ini = Path(__file__).parent.parent / "development.ini"
        command = partial(CliRunner().invoke, main, catch_exceptions=False)
        command(["-c", str(ini), "init", "--demo"])
        command(["-c", str(ini), "user", "password", "admin", "--stdin"], input=PASSWORD)
        app = create_app({"__file__": str(ini)}, **SETTINGS)
        server = create_server(app, host="127.0.0.1", port=0)
        threading.Thread(target=server.run, daemon=True).start()
        take(f"http://127.0.0.1:{server.effective_port}")
        server.close()


if __name__ == "__main__":
    run()
