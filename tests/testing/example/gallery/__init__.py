"""Pictures on a wall: a made-up add-on, as somebody would write one outside of this project."""

import click
from sqlalchemy import ForeignKey, func, select
from sqlalchemy.orm import Mapped, mapped_column

from myproject.content.types import Content
from myproject.db.base import Id
from myproject.declarations import Setting


class Wall(Content):
    """A wall with room for pictures."""

    __tablename__ = "gallery_wall"
    __mapper_args__ = {"polymorphic_identity": "wall"}

    id: Mapped[int] = mapped_column(Id, ForeignKey("node.id", ondelete="CASCADE"), primary_key=True)
    metres: Mapped[int] = mapped_column(default=3)


def show(context, request):
    return {"wall": context, "pictures": request.registry.settings["myproject.gallery.pictures"]}


@click.command("walls")
@click.pass_obj
def walls(context):
    """Count the walls."""
    with context.reading() as session:
        click.echo(session.scalar(select(func.count(Wall.id))))


def includeme(config):
    config.add_settings(Setting("myproject.gallery.pictures", int, 7, "Pictures on a wall."))
    config.add_content_type(Wall, "Wall")
    config.add_permission("hang", "hang pictures")
    config.grant("editor", "hang")
    config.add_migrations("gallery", "gallery:migrations")
    config.add_cli_command(walls)
    config.add_view(show, context=Wall, renderer="gallery:templates/wall.jinja2")
