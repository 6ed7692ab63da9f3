"""How views are called, found out quickly."""

from __future__ import annotations

from types import FunctionType
from typing import Any

from pyramid.config import Configurator
from pyramid.util import object_description
from pyramid.viewderivers import DefaultViewMapper


class ViewMapper(DefaultViewMapper):
    """Pyramid's mapper, which sees from a function's code what it is to be called with.

    Pyramid has the signature of each view parsed twice; what is no function of the request alone,
    or of the context and the request, is left to it.
    """

    def __call__(self, view: Any) -> Any:
        if self.attr is None and isinstance(view, FunctionType):
            code = view.__code__
            parameters = code.co_varnames[: code.co_argcount]
            if parameters in (("request",), ("context", "request")):
                takes_one = len(parameters) == 1
                mapped: Any = self.map_nonclass_requestonly(view) if takes_one else view
                mapped.__text__ = object_description(view)
                return mapped
        return super().__call__(view)


def includeme(config: Configurator) -> None:
    """Map all views like this, those of add-ons too."""
    config.set_view_mapper(ViewMapper)
