"""Write the reference: ``python docs/reference.py > docs/reference.md``.

The application is configured with all bundled add-ons and never asked for anything.
"""

from __future__ import annotations

from myproject import configure
from myproject.cli.reference import write_reference
from myproject.extend.switching import available


def reference() -> str:
    """Return the reference of a site with all bundled add-ons."""
    bundled = [name for name, addon in available().items() if addon.source.startswith("bundled")]
    settings = {
        "sqlalchemy.url": "sqlite:///nothing.sqlite",
        "myproject.development": "true",
        "myproject.addons": " ".join(sorted(bundled)),
    }
    return "\n".join(write_reference(configure({}, **settings)))


if __name__ == "__main__":
    print(reference())
