"""The security room: accounts, identity, grants, and the policy that decides who may do what,
where and why."""

from pyramid.config import Configurator

from myproject.interfaces import IRoles
from myproject.registry import registry_of
from myproject.security.access import PolicyCache
from myproject.security.limits import limits_from
from myproject.security.passwords import passwords_from
from myproject.security.permissions import Permission, Roles
from myproject.security.policy import SecurityPolicy
from myproject.security.sharing import copy_grants
from myproject.tree.events import NodeCopied


def includeme(config: Configurator) -> None:
    """Set the policy; a view that names no permission asks for ``view``."""
    registry = registry_of(config)
    settings = registry.declared_settings
    roles = Roles()
    registry.registerUtility(roles, IRoles)
    registry.policies = PolicyCache(roles)
    registry.passwords = passwords_from(settings)
    registry.sign_in_limits = limits_from(settings)
    config.include("myproject.security.sessions")
    config.set_security_policy(SecurityPolicy())
    config.set_default_permission(Permission.VIEW)
    config.add_subscriber(copy_grants, NodeCopied)
