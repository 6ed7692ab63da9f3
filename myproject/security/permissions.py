"""The permissions that views and operations ask for."""

from enum import StrEnum


class Permission(StrEnum):
    """What somebody may do at a node."""

    VIEW = "view"
    VIEW_DRAFTS = "view-drafts"
