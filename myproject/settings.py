"""The settings of one application: where each value comes from, and what is in force.

A value comes from the default, the ini file or the environment; the later wins. Nothing is read
but what the caller passes in, and nothing is kept at module level, so that two applications with
different settings run in one process. Which settings there are is in `declarations`.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from myproject.core_settings import CORE
from myproject.declarations import Setting, parse
from myproject.exceptions import ConfigurationProblem, in_words

__all__ = ["CORE", "Effective", "Setting", "Settings", "SettingsError", "environment_name"]

# -- results --------------------------------------------------------------------------------------


class SettingsError(ConfigurationProblem):
    """Settings that cannot be used.

    :param problems: one sentence each; `str()` puts each on its own line. None holds a secret.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems: tuple[str, ...] = problems


@dataclass(frozen=True)
class Effective:
    """A setting as it is in force, for people: its value for display and where that came from."""

    key: str
    value: str
    source: str
    help: str


@dataclass(frozen=True)
class _Found:
    """A value as somebody wrote it, and where."""

    value: Any = field(repr=False)
    source: str


# -- the settings of one application --------------------------------------------------------------

_HIDDEN = "********"
_ENVIRONMENT = "MYPROJECT__"
_OWN = ("myproject.", "sqlalchemy.")


def environment_name(key: str) -> str:
    """Name the environment variable that overrides an ini key."""
    return _ENVIRONMENT + key.removeprefix("myproject.").replace(".", "__").upper()


class Settings(Mapping[str, Any]):
    """The settings of one application, read-only but for `declare`.

    As a mapping it holds the typed value of every declared setting, and the text of every key
    of other packages (`pyramid.`, `tm.`, ...). Make one with `load`; an add-on adds its own
    with `declare`; when all have, `check_unknown` finds what nobody asked for.
    """

    def __init__(
        self, ini_values: Mapping[str, str], environ: Mapping[str, str], ini_name: str
    ) -> None:
        self._ini = dict(ini_values)
        self._environ = {k: v for k, v in environ.items() if k.startswith(_ENVIRONMENT)}
        self._ini_name = ini_name
        self._declared: dict[str, Setting] = {}
        # By environment variable, so that two keys which share one are noticed, too.
        self._claims: dict[str, tuple[str, str]] = {}
        self._sources: dict[str, str] = {}
        self._values: dict[str, Any] = {
            key: self._environ.get(environment_name(key), text)
            for key, text in self._ini.items()
            if not key.startswith(_OWN)
        }

    @classmethod
    def load(
        cls,
        ini_values: Mapping[str, str],
        environ: Mapping[str, str],
        ini_name: str,
        declarations: Iterable[Setting] = CORE,
    ) -> "Settings":
        """Read and validate settings.

        :param ini_values: the application's section of the ini file, interpolated.
        :param environ: the environment; only variables that start with `MYPROJECT__` matter.
        :param ini_name: what to call the ini file in messages, such as `development.ini`.
        :param declarations: the settings to begin with.
        :raises SettingsError: with the problems of all these settings at once.
        """
        settings = cls(ini_values, environ, ini_name)
        settings.declare_all(declarations, "myproject")
        return settings

    def declare(self, setting: Setting, owner: str) -> Any:
        """Add a setting and return its value at once.

        :param owner: who declares it, usually the dotted name of an add-on.
        :raises SettingsError: if the key is taken (the message names both owners), or if the
            value cannot be used. In the second case the key counts as known all the same.
        """
        return self.declare_all((setting,), owner)[0]

    def declare_all(self, settings: Iterable[Setting], owner: str) -> tuple[Any, ...]:
        """Add settings and return their values, in order.

        :raises SettingsError: with the problems of all of them.
        """
        declared = tuple(settings)
        self._declare_all(declared, owner)
        return tuple(self._values[setting.key] for setting in declared)

    def check_unknown(self, but: Callable[[], Iterable[str]] = tuple) -> None:
        """Refuse what nobody declared; call it when all add-ons have declared theirs.

        :param but: returns what keys begin with that may stay: those of add-ons that are switched
            off. Only called where there is something that nobody declared.
        :raises SettingsError: for every ini key below `myproject.` or `sqlalchemy.` that is not
            declared, and every `MYPROJECT__` variable that overrides nothing.
        """
        keys, names = self._unknown_keys(), self._unknown_variables()
        if not keys and not names:
            return
        known, may_stay = self._known_keys(), tuple(but())
        variables = tuple(map(environment_name, may_stay))
        problems: list[str] = []
        for key in keys:
            if key.startswith(may_stay):
                continue
            hint = _did_you_mean(_closest(key, known))
            problems.append(f"{key} ({self._ini_name}): there is no such setting{hint}")
        for name in names:
            if name.startswith(variables):
                continue
            meant = _closest(name, [*known, *self._values])
            hint = _did_you_mean(environment_name(meant) if meant else None)
            problems.append(f"{name} (environment): there is no such setting{hint}")
        if problems:
            raise SettingsError(*problems)

    def explain(self) -> list[Effective]:
        """List the declared settings in force, by key, fit to be shown: secrets are hidden."""
        return [
            Effective(key, _display(setting, self._values[key]), self._sources[key], setting.help)
            for key, setting in sorted(self._declared.items())
            if key in self._sources
        ]

    def declared(self) -> list[tuple[Setting, str]]:
        """Return the declared settings by key, each with who declared it."""
        owners = dict(self._claims.values())
        return [(setting, owners[key]) for key, setting in sorted(self._declared.items())]

    def as_dict(self) -> dict[str, Any]:
        """Copy all values for Pyramid's `Configurator(settings=...)`. Secrets are in the clear."""
        return dict(self._values)

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"<Settings of {self._ini_name}, {len(self._declared)} declared>"

    # -- declaring --------------------------------------------------------------------------------

    def _declare_all(self, declarations: tuple[Setting, ...], owner: str) -> None:
        for setting in declarations:
            self._claim(setting, owner)
        problems: list[str] = []
        for setting in declarations:
            try:
                self._resolve(setting)
            except SettingsError as error:
                problems.extend(error.problems)
        # Raised out here so that no traceback drags along an exception that holds the value.
        if problems:
            raise SettingsError(*problems)

    def _claim(self, setting: Setting, owner: str) -> None:
        for key in setting.all_keys:
            taken, by = self._claims.get(environment_name(key), (None, None))
            if taken == key:
                raise SettingsError(f"{key} is declared twice, by {by} and by {owner}: rename one")
            if taken:
                raise SettingsError(
                    f"{key}, declared by {owner}, and {taken}, declared by {by}, would share the "
                    f"environment variable {environment_name(key)}"
                )
        self._declared[setting.key] = setting
        for key in setting.all_keys:
            self._claims[environment_name(key)] = (key, owner)
            self._values.pop(key, None)

    def _resolve(self, setting: Setting) -> None:
        found = self._find(setting)
        if setting.required and not found.value.strip():
            raise _problem(setting, found, "must not be empty")
        try:
            value = parse(
                setting.type,
                found.value,
                quotable=not setting.secret,
                adapter=setting.adapter,
            )
        except ValueError as error:
            raise _problem(setting, found, str(error)) from None
        if text := _check(setting, value):
            if setting.secret:
                text = _redact(text, found.value, value)
            raise _problem(setting, found, text)
        self._values[setting.key] = value
        self._sources[setting.key] = found.source

    # -- finding a value --------------------------------------------------------------------------

    def _find(self, setting: Setting) -> _Found:
        for look_up in (self._in_environment, self._in_ini):
            found = look_up(setting.key)
            by_file = look_up(setting.file_key) if setting.secret else None
            if found and by_file:
                raise SettingsError(
                    f"{setting.key} is given twice, as a value ({found.source}) and as a file "
                    f"({by_file.source}): remove one"
                )
            if by_file:
                return _read_secret(setting.file_key, by_file)
            if found:
                return found
        if setting.required:
            raise SettingsError(self._describe_missing(setting))
        return _Found(setting.default, "default")

    def _in_environment(self, key: str) -> _Found | None:
        name = environment_name(key)
        return _Found(self._environ[name], f"environment {name}") if name in self._environ else None

    def _in_ini(self, key: str) -> _Found | None:
        return _Found(self._ini[key], self._ini_name) if key in self._ini else None

    def _describe_missing(self, setting: Setting) -> str:
        # A misspelt required key shows up as missing, long before unknown keys can be told.
        suspect = _closest(setting.key, [*self._unknown_keys(), *self._unknown_variables()])
        return (
            f"{setting.key} is missing: set it in {self._ini_name} "
            f"or as {environment_name(setting.key)}"
            + (f", or name a file that holds it as {setting.file_key}" if setting.secret else "")
            + (f" (is {suspect} a misspelling of it?)" if suspect else "")
        )

    # -- what nobody declared ---------------------------------------------------------------------

    def _known_keys(self) -> list[str]:
        return [key for key, _ in self._claims.values()]

    def _unknown_keys(self) -> list[str]:
        known = set(self._known_keys())
        return [key for key in self._ini if key.startswith(_OWN) and key not in known]

    def _unknown_variables(self) -> list[str]:
        known = {*self._claims, *map(environment_name, self._ini)}
        return [name for name in self._environ if name not in known]


def _problem(setting: Setting, found: _Found, text: str) -> SettingsError:
    shown = "" if setting.secret else f" = {found.value!r}"
    return SettingsError(f"{setting.key}{shown} ({found.source}): {text}")


def _check(setting: Setting, value: Any) -> str | None:
    """Return what the setting's own check says of a value; also when it raises instead."""
    if setting.check is None:
        return None
    try:
        return setting.check(value)
    except Exception as error:
        return f"cannot be checked: {in_words(error)}"


def _redact(text: str, *secrets: Any) -> str:
    # A check is asked not to quote a secret; this is for the one that does. Whole words only,
    # or the secret "a" would make the message unreadable.
    for secret in filter(None, map(str, secrets)):
        text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", _HIDDEN, text)
    return text


def _read_secret(key: str, named: _Found) -> _Found:
    if "://" in named.value:
        # The secret itself, put under the wrong key: not to be repeated.
        raise SettingsError(f"{key} ({named.source}): must be the path of a file, not a URL")
    place = f"{key} = {named.value!r} ({named.source})"
    try:
        text = Path(named.value).read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"{place}: cannot be read: {error.strerror}") from None
    except ValueError:
        raise SettingsError(f"{place}: cannot be read: not UTF-8 text") from None
    if not text.strip():
        raise SettingsError(f"{place}: the file is empty")
    return _Found(text.removesuffix("\n"), f"file {named.value}")


def _display(setting: Setting, value: Any) -> str:
    if value is None or value == "":
        return ""
    if setting.secret:
        return setting.show(value) if setting.show else _HIDDEN
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(map(str, value))
    return str(value)


def _closest(name: str, candidates: Iterable[str]) -> str | None:
    """Find what was meant by a key or a variable that does not exist.

    Names are compared without what many of them begin with, or any two would look alike.
    """
    by_core = {_core(candidate): candidate for candidate in candidates}
    matches = get_close_matches(_core(name), by_core, n=1)
    return by_core[matches[0]] if matches else None


def _did_you_mean(name: str | None) -> str:
    return f"; did you mean {name}?" if name else ""


def _core(name: str) -> str:
    # Separators are alike here: one underscore for two is the commonest slip in a variable.
    key = name.removeprefix(_ENVIRONMENT).lower().replace(".", "_").replace("__", "_")
    return key.removeprefix("myproject_").removeprefix("sqlalchemy_")
