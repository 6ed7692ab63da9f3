"""What happened below a place: complete, in order, in pages, and only what one may know of."""

import datetime as dt

import pytest

from myproject.content.journal import Journal
from myproject.content.operations import save
from myproject.content.operations_log import Audience
from myproject.content.timeline import ALL_THAT_HAPPENED, Filters, Moment, Watcher, load_timeline
from myproject.content.types import Page
from myproject.exceptions import InvalidValue
from myproject.tree.actor import Actor
from myproject.tree.history import set_moment
from myproject.tree.node import DRAFT, ROOT_ID
from myproject.tree.operations import Tree
from myproject.tree.visibility import ALL, NONE, BoundarySet
from tests.trees import set_state

ANN, BOB = Actor(7, "ann"), Actor(8, "bob")
EVERYTHING = Watcher(Audience(None, ALL, gone=True), ALL, ALL)
#: Has every statement asked in its long form: windows that hold hardly anything, no walking.
NARROW = {"windows": (3, 5), "small": 0}
#: Has small sections walked through.
WALKED = {"windows": (1, 3)}
DAY = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)


class Story:
    """A site with a history that goes on by an hour with each thing that is done."""

    def __init__(self, site):
        self.site, self.now = site, DAY

    def do(self, actor, what):
        self.now += dt.timedelta(hours=1)
        with self.site.tree() as tree:
            set_moment(tree.session, self.now)
            journal = Journal(Tree(tree.session, actor=actor))
            operation = what(journal, lambda path: self.site.node(journal.tree, path))
            if operation is not None and hasattr(operation, "at"):
                operation.at = self.now

    def save(self, actor, path, **values):
        self.do(
            actor,
            lambda journal, node: save(journal.tree, node(path), values, self.site.renderer),
        )

    def told(self, path="/", watcher=EVERYTHING, filters=ALL_THAT_HAPPENED, **options):
        """What the whole list says, page by page, as "hour table"."""
        with self.site.tree() as tree:
            node_id, before, said = self.site.node(tree, path).id, None, []
            for _page in range(100):
                page = load_timeline(
                    tree.session, node_id, watcher, filters, before=before, **options
                )
                said += [
                    f"{int((entry.moment.at - DAY).total_seconds() // 3600)}{entry.moment.table}"
                    for entry in page.entries
                ]
                if page.following is None:
                    return said
                assert before is None or page.following.order < before.order
                before = page.following
        raise AssertionError("It has no end.")


@pytest.fixture
def story(site):
    story = Story(site)
    for path in ("/a", "/a/x", "/a/y", "/b"):
        story.do(
            ANN,
            lambda journal, node, path=path: (
                journal.add(
                    node(path.rpartition("/")[0]),
                    Page(title=path[-1].upper()),
                    site.renderer,
                    path[-1],
                )
                and None
            ),
        )
    story.save(ANN, "/a/x", title="X2")  # 5
    story.save(BOB, "/b", title="B2")  # 6
    story.do(BOB, lambda journal, node: journal.rename(node("/a/y"), "z"))  # 7
    story.save(BOB, "/a/z", title="Z")  # 8
    story.do(ANN, lambda journal, node: journal.trash([node("/a/z")]))  # 9
    story.save(ANN, "/a", title="A2")  # 10
    return story


@pytest.mark.parametrize("options", [{}, NARROW, WALKED, {"limit": 2, **NARROW}])
def test_all_that_happened_is_told_once_and_in_order(story, options):
    # Adding is told by the first save. What was saved at 3 and 8 is of a page in the trash.
    assert story.told("/", **options) == ["10s", "9o", "7o", "6s", "5s", "4s", "2s", "1s"]
    assert story.told("/a", **options) == ["10s", "9o", "7o", "5s", "2s", "1s"]
    assert story.told("/a/x", **options) == ["5s", "2s"]
    assert story.told("/b", **options) == ["6s", "4s"]


@pytest.mark.parametrize("options", [NARROW, WALKED])
def test_it_is_narrowed_by_person_and_by_time(story, options):
    told = story.told
    assert told("/", filters=Filters(person="BO"), **options) == ["7o", "6s"]
    assert told("/", filters=Filters(user_id=8), **options) == ["7o", "6s"]
    assert told("/a", filters=Filters(person="bob"), **options) == ["7o"]
    assert told("/", filters=Filters(person="%"), **options) == []
    hours = [DAY + dt.timedelta(hours=hour) for hour in (5, 7)]
    between = Filters(since=hours[0], until=hours[1])
    assert told("/", filters=between, **options) == ["6s", "5s"]


@pytest.mark.parametrize("options", [NARROW, WALKED])
def test_it_tells_of_places_where_one_may_edit_and_of_nothing_that_is_hidden(story, options):
    story.site.make_private("/b")
    with story.site.tree() as tree:
        private = story.site.node(tree, "/b").id
    here = BoundarySet(frozenset({private}))
    only = Watcher(Audience(None, here), here, here)
    assert story.told("/", only, **options) == ["6s", "4s"]
    assert story.told("/", Watcher(Audience(None, NONE), NONE, NONE), **options) == []
    rest = BoundarySet(frozenset({ROOT_ID}))
    others = Watcher(Audience(None, rest), rest, rest)
    assert story.told("/", others, **options) == ["10s", "9o", "7o", "5s", "2s", "1s"]
    # Below a draft for those who are not shown drafts.
    story.do(ANN, lambda journal, node: set_state(journal, [node("/a")], DRAFT) and None)
    blind = Watcher(Audience(None, NONE), rest, NONE)
    assert story.told("/", blind, **options) == ["10s", "1s"]


def test_what_was_there_before_the_first_change_is_nobody_s_deed(story):
    story.do(ANN, lambda journal, node: journal.copy([node("/b")], node("/a")))  # 11
    story.save(BOB, "/a/b", title="Copied")  # 12
    assert story.told("/a/b") == ["12s", "11o"]
    for options in (NARROW, WALKED):
        assert story.told("/a/b", **options) == ["12s", "11o"]


def test_what_is_saved_and_done_at_one_moment_is_cut_nowhere(story):
    story.now = DAY + dt.timedelta(hours=19)
    story.save(ANN, "/a/x", title="1")

    def renamed(path, name):
        story.now = DAY + dt.timedelta(hours=19)
        story.do(BOB, lambda journal, node: journal.rename(node(path), name))

    for number in range(3):
        story.now = DAY + dt.timedelta(hours=19)
        story.save(ANN, "/b", title=f"{number}")
        renamed("/a/x", f"x{number}")
        renamed(f"/a/x{number}", "x")
    for options in ({"limit": 1}, {"limit": 2}, {"limit": 3, **NARROW}, {"limit": 1, **WALKED}):
        told = story.told("/", **options)
        assert told[:10] == ["20o"] * 6 + ["20s"] * 4
        assert told[10:] == ["10s", "9o", "7o", "6s", "5s", "4s", "2s", "1s"]


def test_moments_are_written_and_read():
    moment = Moment(DAY, "o", 12)
    assert Moment.parse(str(moment)) == moment
    for text in ("", "x", "1.s", "1.x1", f"{'9' * 18}.s1", "1.s1\n", "1.s" + "9" * 19):
        with pytest.raises(InvalidValue):
            Moment.parse(text)
