"""No rule of axe-core is broken, in light and dark, wide and narrow."""

import pytest
from axe_playwright_python.sync_playwright import Axe

pytestmark = pytest.mark.browser

PATHS = ["/", "/guide", "/guide/everything", "/folder", "/guide/par", "/gone", "/%00"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_no_rule_is_broken(open_context, scheme, width):
    page = open_context(width, color_scheme=scheme).new_page()
    for path in PATHS:
        page.goto(path)
        # Whatever can be opened is looked at, too.
        page.eval_on_selector_all(
            "details:not([hx-get])", "all => all.forEach(details => details.open = true)"
        )
        results = Axe().run(page)
        assert results.violations_count == 0, f"{path}\n{results.generate_report()}"
