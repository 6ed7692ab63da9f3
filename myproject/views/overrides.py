"""Templates that take the place of others, as themes do it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import BaseLoader, Environment
from pyramid.config import Configurator

from myproject.extend.points import ORIGINAL, Override


class OverridingLoader(BaseLoader):
    """Loads the override of a template where there is one.

    Not Pyramid's asset overrides: those are looked for with the registry of the thread, and a
    template that takes the place of another could not extend it.

    :param inner: loads a template by asset spec.
    """

    def __init__(self, inner: BaseLoader, overrides: Mapping[str, Override]) -> None:
        self.inner = inner
        self.overrides = overrides

    def get_source(self, environment: Environment, template: str) -> Any:
        if template.startswith(ORIGINAL):
            template = template.removeprefix(ORIGINAL)
        elif template in self.overrides:
            template = self.overrides[template].by
        return self.inner.get_source(environment, template)


def override_templates(config: Configurator, overrides: Mapping[str, Override]) -> Environment:
    """Have the site's templates loaded with their overrides; return their environment."""
    environment: Environment = config.get_jinja2_environment(".jinja2")  # type: ignore[attr-defined]
    if environment.loader is not None and overrides:
        environment.loader = OverridingLoader(environment.loader, overrides)
    return environment
