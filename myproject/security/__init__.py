"""The security room: permissions, and the policy that decides who may do what, where and why."""

from pyramid.config import Configurator

from myproject.security.permissions import Permission
from myproject.security.policy import SecurityPolicy


def includeme(config: Configurator) -> None:
    """Set the policy; a view that names no permission asks for ``view``."""
    config.set_security_policy(SecurityPolicy())
    config.set_default_permission(Permission.VIEW)
