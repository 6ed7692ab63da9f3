"""Links between pages as people ask for them: what leads into a section from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from myproject.content.references import Reference
from myproject.tree.copying import descend
from myproject.tree.node import TRASHED
from myproject.tree.urls import climb


def links_into(
    session: Session, section_ids: Sequence[int], limit: int = 10
) -> tuple[int, list[int]]:
    """Return how many links lead from elsewhere into sections, and ids of pages that have them.

    Links from what lies in the trash, or below it, do not count. Two statements.

    :param section_ids: the tops of the sections.
    :param limit: ids at most, the smallest first.
    """
    table = Reference.__table__
    inside = descend(*section_ids, trash=False)
    section = select(inside.c.id)
    leading = (
        select(table.c.source_id, table.c.target_id)
        .where(table.c.target_id.in_(section), table.c.source_id.not_in(section))
        .cte("leading")
    )
    up = climb(select(leading.c.source_id).distinct())
    lost = select(up.c.origin).where(up.c.state == TRASHED)
    kept = leading.c.source_id.not_in(lost)
    connection = session.connection()
    count = connection.scalar(select(func.count()).select_from(leading).where(kept)) or 0
    if not count:
        return 0, []
    ids = select(leading.c.source_id).where(kept).distinct().order_by(leading.c.source_id)
    return count, list(connection.scalars(ids.limit(limit)))
