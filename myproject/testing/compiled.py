"""Templates that are compiled once for all sites of a test run."""

from __future__ import annotations

from collections.abc import Hashable
from types import CodeType

from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket


class CompiledTemplates(BytecodeCache):
    """Keeps the code of templates, by their source and by all that compiling depends on."""

    def __init__(self) -> None:
        self._code: dict[Hashable, CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._code.get(_key(bucket))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._code[_key(bucket)] = bucket.code


def _key(bucket: Bucket) -> Hashable:
    return (bucket.key, bucket.checksum, _dialect(bucket.environment))


def _dialect(environment: Environment) -> Hashable:
    """Return what makes code of a template: its syntax, and what constants go through at once."""
    return (
        environment.block_start_string,
        environment.block_end_string,
        environment.variable_start_string,
        environment.variable_end_string,
        environment.comment_start_string,
        environment.comment_end_string,
        environment.line_statement_prefix,
        environment.line_comment_prefix,
        environment.trim_blocks,
        environment.lstrip_blocks,
        environment.newline_sequence,
        environment.keep_trailing_newline,
        environment.optimized,
        environment.autoescape,
        environment.finalize,
        environment.undefined,
        environment.is_async,
        environment.sandboxed,
        environment.code_generator_class,
        type(environment),
        tuple(map(type, environment.iter_extensions())),
        getattr(environment, "newstyle_gettext", None),
        frozenset(environment.filters.items()),
        frozenset(environment.tests.items()),
    )
