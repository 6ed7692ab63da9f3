"""A directory of Markdown files of realistic size, for runs that are given no content."""

from __future__ import annotations

import random
from pathlib import Path

_TEXT = """
a an and as at be but by can each every for from in into is it its may more must never not of
on one only or other so such that the their then there this to under until what when where
which who will with address branch command configuration connection container content database
directory document editor file heading history language layout link list message module
network operator option package page path permission process program query reader record
release request response revision schema script section server session setting site source
statement system table template text thread time title tree update user value version
"""
_WORDS = _TEXT.split()


def write_tree(folder: Path, pages: int = 1000, fan_out: int = 10) -> None:
    """Write *pages* files, three levels deep, about 6 kB each, the same ones every time."""
    chance = random.Random(5)
    written = 0
    for top in range(fan_out):
        for middle in range(fan_out):
            section = folder / f"part-{top}" / f"chapter-{middle}"
            section.mkdir(parents=True)
            for leaf in range(fan_out):
                name = "_index" if leaf == 0 else f"page-{leaf}"
                if written < pages:
                    text = _page(chance, f"Page {leaf} of chapter {middle}, part {top}", fan_out)
                    (section / f"{name}.md").write_text(text, encoding="utf-8")
                    written += 1


def _page(chance: random.Random, title: str, fan_out: int) -> str:
    parts = [f"---\ntitle: {title}\ndescription: {_sentence(chance)}\nweight: 10\n---\n"]
    for number in range(chance.randint(3, 6)):
        parts.append(f"## {number + 1}. {_sentence(chance)[:-1]}\n")
        parts += [_paragraph(chance) for _ in range(chance.randint(1, 3))]
        parts.append("".join(f"- {_sentence(chance)}\n" for _ in range(chance.randint(2, 5))))
        link = f"page-{chance.randrange(1, fan_out)}.md"
        parts.append(f"See [{' '.join(chance.choices(_WORDS, k=3))}]({link}) and `--{number}`.\n")
    parts.append("```python\n" + "".join(_code(chance) for _ in range(8)) + "```\n")
    parts.append("| name | value |\n| --- | --- |\n| one | 1 |\n| two | 2 |\n")
    return "\n".join(parts)


def _sentence(chance: random.Random) -> str:
    return " ".join(chance.choices(_WORDS, k=chance.randint(6, 14))).capitalize() + "."


def _paragraph(chance: random.Random) -> str:
    return " ".join(_sentence(chance) for _ in range(chance.randint(3, 6))) + "\n"


def _code(chance: random.Random) -> str:
    name, value = chance.choices(_WORDS, k=2)
    return f"{name}_{value} = [len(item) for item in {name!r}]  # {value}\n"
