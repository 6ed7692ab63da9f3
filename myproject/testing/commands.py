"""Running commands against an ini file of the test's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from click.testing import CliRunner, Result
from sqlalchemy.engine import URL

from myproject.cli import main

#: ``run("tree", "check")``: a command on some ini file, with what it printed and its status.
Run = Callable[..., Result]

#: What every site of the tests says: no sample secret, and passwords that cost little to hash.
DEFAULTS = {
    "myproject.session_secret": "Yp3-9fJq_0vXbT7cLw2RzKd8sNhGm5Ua1QeVo",
    "myproject.https": "false",
    "myproject.argon2_time_cost": "1",
    "myproject.argon2_memory_cost": "64",
    "myproject.argon2_parallelism": "1",
}


def write_ini(
    path: Path, url: str | URL, *lines: str, settings: Mapping[str, str] = DEFAULTS
) -> Path:
    """Write an ini file with a database URL and further lines of its application section.

    :param settings: key -> value; percent signs in values are escaped.
    """
    if isinstance(url, URL):
        url = url.render_as_string(hide_password=False).replace("%", "%%")
    section = ["[app:main]", "use = egg:myproject", f"sqlalchemy.url = {url}"]
    for key, value in settings.items():
        escaped = value.replace("%", "%%").replace("\n", "\n    ")
        section.append(f"{key} = {escaped}")
    section += lines
    path.write_text("\n".join(section) + "\n")
    return path


def invoke(ini: Path, *arguments: str) -> Result:
    """Run a command in this process.

    :raises: whatever the command did not expect.
    """
    result = CliRunner().invoke(main, ["-c", str(ini), *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result
