"""The ``myproject`` command: one module per group, each thin over the operations it calls."""

from __future__ import annotations

import click

from myproject.cli.access import access
from myproject.cli.context import Command, Context
from myproject.cli.database import db, init
from myproject.cli.groups import group
from myproject.cli.inspecting import explain, settings
from myproject.cli.transfer import export_command, import_command
from myproject.cli.tree import tree
from myproject.cli.users import user


@click.group(cls=Command, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "-c",
    "--config",
    "ini",
    default="development.ini",
    envvar="MYPROJECT_INI",
    metavar="FILE.ini",
    show_default=True,
    help="The ini file; also from the environment as MYPROJECT_INI.",
)
@click.version_option(package_name="myproject")
@click.pass_context
def main(context: click.Context, ini: str) -> None:
    """Operate a site: its database, its content, its configuration."""
    context.obj = Context(ini)
    context.call_on_close(context.obj.close)


COMMANDS = (
    init,
    db,
    user,
    group,
    access,
    import_command,
    export_command,
    explain,
    settings,
    tree,
)
for command in COMMANDS:
    main.add_command(command)
