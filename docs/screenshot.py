"""Takes the picture in the README: the demo site, in a headless Chromium.

Run by ``make screenshots``. Needs Chromium on the PATH, or CHROMIUM naming it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from pathlib import Path

from click.testing import CliRunner
from playwright.sync_api import sync_playwright
from waitress.server import create_server

from myproject import create_app
from myproject.cli import main

PICTURE = Path(__file__).with_name("screenshot.png")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]


SETTINGS = {
    "myproject.site_title": "myproject",
    "myproject.development": "true",
    "myproject.https": "false",
}


def take(url: str) -> None:
    """Write the picture of the page at *url*."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 800}, color_scheme="light")
        page.goto(url)
        page.screenshot(path=PICTURE)
        browser.close()


def run() -> None:
    """Serve the demo from a temporary database and take its picture."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MYPROJECT__SQLALCHEMY__URL"] = f"sqlite:///{folder}/demo.sqlite"
        ini = Path(__file__).parent.parent / "development.ini"
        CliRunner().invoke(main, ["-c", str(ini), "init", "--demo"], catch_exceptions=False)
        app = create_app({"__file__": str(ini)}, **SETTINGS)
        server = create_server(app, host="127.0.0.1", port=0)
        threading.Thread(target=server.run, daemon=True).start()
        take(f"http://127.0.0.1:{server.effective_port}/reading/markdown")
        server.close()


if __name__ == "__main__":
    run()
