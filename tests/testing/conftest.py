"""The fixtures of the test kit itself, as its users have them.

The example is a project of its own; ``test_example`` runs its tests in a process of theirs.
"""

from myproject.testing.plugin import make_shared_site, make_site  # noqa: F401 - fixtures

collect_ignore = ["example"]
