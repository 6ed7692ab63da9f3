"""The conftest.py of an add-on's project."""

pytest_plugins = ["myproject.testing.plugin"]
