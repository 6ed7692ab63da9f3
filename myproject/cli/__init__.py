"""The ``myproject`` command: one module per group, each thin over the operations it calls."""

from __future__ import annotations

import click

from myproject.cli.access import access
from myproject.cli.addons import addon, addons
from myproject.cli.check import check
from myproject.cli.context import Command, Context
from myproject.cli.database import db, init
from myproject.cli.groups import group
from myproject.cli.inspecting import explain, settings
from myproject.cli.jobs import health, job
from myproject.cli.publishing import publish_due_command
from myproject.cli.redirects import redirects
from myproject.cli.reference import reference
from myproject.cli.removal import remove
from myproject.cli.scaffold import new_addon
from myproject.cli.transfer import export_command, import_command
from myproject.cli.trash import trash
from myproject.cli.tree import tree
from myproject.cli.users import user
from myproject.exceptions import ConfigurationProblem
from myproject.extend.points import Extensions

DEFAULT_INI = "development.ini"


class Main(Command):
    """The commands of the core, and those of the add-ons that the ini file switches on."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        known = super().get_command(ctx, cmd_name)
        # Only for names that the core does not have: a site need not be configured for them.
        return known or self._extensions(ctx).commands.get(cmd_name)

    def list_commands(self, ctx: click.Context) -> list[str]:
        try:
            added = list(self._extensions(ctx).commands)
        except ConfigurationProblem:
            # Somebody who asks for help is not told what else is wrong.
            added = []
        return sorted([*super().list_commands(ctx), *added])

    @staticmethod
    def _extensions(ctx: click.Context) -> Extensions:
        if ctx.obj is None:
            # Help is asked for before the ini file is read.
            ctx.obj = Context(ctx.params.get("ini") or DEFAULT_INI)
            ctx.call_on_close(ctx.obj.close)
        return ctx.obj.registry.extensions


@click.group(cls=Main, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "-c",
    "--config",
    "ini",
    default=DEFAULT_INI,
    is_eager=True,
    envvar="MYPROJECT_INI",
    metavar="FILE.ini",
    show_default=True,
    help="The ini file; also from the environment as MYPROJECT_INI.",
)
@click.version_option(package_name="myproject")
@click.pass_context
def main(context: click.Context, ini: str) -> None:
    """Operate a site: its database, its content, its configuration."""
    if context.obj is None:
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
    trash,
    job,
    publish_due_command,
    health,
    redirects,
    reference,
    addons,
    addon,
    check,
)
for command in COMMANDS:
    main.add_command(command)
addon.add_command(new_addon)
addon.add_command(remove)
