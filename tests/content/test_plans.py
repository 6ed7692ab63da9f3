"""What operations would do, in numbers, and what keeps them from being done."""

import pytest

from myproject.content.journal import Kind
from myproject.content.plans import Planner
from myproject.content.types import Folder, Link
from myproject.content.workflow import Transitions, Workflows
from myproject.interfaces import IContentTypes
from myproject.security.access import load_policies
from myproject.security.identity import principals_of
from myproject.security.logins import find_user
from myproject.testing import Site
from myproject.translation import in_english
from myproject.tree.actor import COMMAND_LINE
from myproject.tree.node import DRAFT, PUBLISHED, Node


@pytest.fixture
def planted(site: Site) -> Site:
    """A guide of four pages, of which one is a draft; a page elsewhere links into it."""
    for path in ("/guide", "/guide/a", "/guide/a/deep", "/other", "/other/a"):
        site.add(path)
    site.add("/guide/draft", state=DRAFT)
    with site.tree() as tree:
        target = site.node(tree, "/guide/a/deep").id
    site.add("/linking", f"[one](node:{target}) [again](node:{target})")
    site.add("/guide/within", f"[one](node:{target})")
    site.add("/link", cls=Link, target_id=target)
    return site


def planner(site, tree, name=None):
    """A planner for somebody; for the operator without a name."""
    policies = load_policies(tree.session, site.roles)
    access = None
    if name is not None:
        user = site_user(tree, name)
        access = policies.access(principals_of(user, frozenset()))
    types = site.registry.getUtility(IContentTypes)
    return Planner(tree.session, types, policies, access, site.registry.reserved_names)


def site_user(tree, name):
    return find_user(tree.session, name).id


def reasons(plan):
    return [in_english(problem.reason) for problem in plan.problems]


def test_a_move_is_told_in_numbers(planted):
    with planted.tree() as tree:
        guide, other = planted.node(tree, "/guide"), planted.node(tree, "/other")
        plan = planner(planted, tree).move([guide], other)
        assert (plan.kind, plan.pages, plan.published) == (Kind.MOVE, 5, 4)
        assert plan.links_in == 2
        assert list(plan.linking) == [planted.node(tree, path).id for path in ("/linking", "/link")]
        assert plan.is_possible
        assert plan.effects == ()


def test_links_from_the_trash_do_not_count(planted):
    with planted.tree() as tree:
        tree.trash(planted.node(tree, "/linking"))
        plan = planner(planted, tree).trash([planted.node(tree, "/guide")])
        assert plan.links_in == 1
        tree.trash(planted.node(tree, "/guide/a"))
        assert planner(planted, tree).trash([planted.node(tree, "/guide")]).links_in == 0


def test_what_lies_in_the_trash_is_not_counted(planted):
    with planted.tree() as tree:
        tree.trash(planted.node(tree, "/guide/a"))
        assert planner(planted, tree).trash([planted.node(tree, "/guide")]).pages == 3


def test_a_name_that_is_taken_comes_with_one_that_is_free(planted):
    planted.add("/other/a-2")
    with planted.tree() as tree:
        node, other = planted.node(tree, "/guide/a"), planted.node(tree, "/other")
        (problem,) = planner(planted, tree).move([node], other).problems
        assert (problem.node_id, problem.name, problem.suggestion) == (node.id, "a", "a-3")
        assert planner(planted, tree).move([node], other, {node.id: "a-3"}).is_possible


def test_two_nodes_of_one_name_cannot_go_to_one_place(planted):
    with planted.tree() as tree:
        nodes = [planted.node(tree, path) for path in ("/guide/a", "/other/a")]
        root = planted.node(tree)
        (problem,) = planner(planted, tree).copy(nodes, root).problems
        assert problem.suggestion == "a-2"
        names = {problem.node_id: "a-2"}
        assert planner(planted, tree).copy(nodes, root, names).is_possible


@pytest.mark.parametrize(
    ("what", "where", "reason"),
    [
        ("/guide", "/guide", "This is what you are moving."),
        ("/guide", "/guide/a/deep", "It lies within what you are moving."),
        ("/guide/a", "/guide", "It is there already."),
        ("/", "/guide", "This is the root of the site, which stays where it is."),
    ],
)
def test_an_impossible_move_says_why(planted, what, where, reason):
    with planted.tree() as tree:
        plan = planner(planted, tree).move([planted.node(tree, what)], planted.node(tree, where))
        assert reason in reasons(plan)


def test_the_trash_is_no_place_to_move_to(planted):
    with planted.tree() as tree:
        other = planted.node(tree, "/other")
        inner = planted.node(tree, "/other/a")
        tree.trash(other)
        plan = planner(planted, tree).move([planted.node(tree, "/guide")], inner)
        assert "It is in the trash." in reasons(plan)[0]


def test_a_reserved_name_is_refused_at_the_root(planted):
    with planted.tree() as tree:
        plan = planner(planted, tree).rename(planted.node(tree, "/guide"), "@@x")
        assert "cannot be a name" in reasons(plan)[0]


def test_permissions_stand_in_the_way(planted):
    planted.grant("ann", "editor", "/guide")
    planted.grant("ann", "reader", "/")
    with planted.tree() as tree:
        guide, other = planted.node(tree, "/guide"), planted.node(tree, "/other")
        mine = planner(planted, tree, "ann")
        inner = planted.node(tree, "/guide/a")
        assert reasons(mine.move([inner], other)) == ["You may not add pages there."]
        assert reasons(mine.move([planted.node(tree, "/other/a")], guide)) == [
            "You may not do this here.",
            "There is another page called “a” there.",
        ]
        assert mine.trash([inner]).is_possible


def test_nobody_deletes_what_they_may_not_delete_within_a_section(planted):
    planted.grant("ann", "editor", "/")
    planted.make_private("/guide/a")
    with planted.tree() as tree:
        plan = planner(planted, tree, "ann").trash([planted.node(tree, "/guide")])
        assert reasons(plan) == [
            "2 of the pages below are out of your reach: you may not delete them."
        ]
        assert planner(planted, tree).trash([planted.node(tree, "/guide")]).is_possible


def test_a_move_into_a_private_place_tells_who_loses_what(planted):
    planted.make_private("/other")
    planted.grant("bea", "reader", "/other")
    with planted.tree() as tree:
        plan = planner(planted, tree).move(
            [planted.node(tree, "/guide")], planted.node(tree, "/other")
        )
        visitors = next(effect for effect in plan.effects if effect.visitors)
        assert not visitors.gained
        assert visitors.permissions == ("view",)
        assert visitors.pages == plan.pages == 5
        # Who may view there may view the pages as before.
        assert all(effect.people != 1 or not effect.gained for effect in plan.effects)


def test_a_boundary_that_is_moved_keeps_its_grants_and_inherits_others(planted):
    planted.grant("bea", "editor", "/guide")
    planted.make_private("/other")
    with planted.tree() as tree:
        plan = planner(planted, tree).move(
            [planted.node(tree, "/guide")], planted.node(tree, "/other")
        )
        assert {effect.permissions for effect in plan.effects} == {("view",)}
        assert not any(effect.gained for effect in plan.effects)


def test_unpublishing_shows_who_links_here_and_publishing_does_not_ask(planted):
    with planted.tree() as tree:
        nodes = [planted.node(tree, "/guide/a/deep")]
        transitions = Transitions(tree.session, Workflows(), None, COMMAND_LINE)
        ways = {node.id: transitions.find(node, target=DRAFT) for node in nodes}
        assert planner(planted, tree).take(nodes, ways).links_in == 3
        ways = {node.id: transitions.find(node, target=PUBLISHED) for node in nodes}
        assert planner(planted, tree).take(nodes, ways).links_in == 0


def test_restoring_tells_what_has_taken_the_place(planted):
    with planted.tree() as tree:
        node = planted.node(tree, "/guide/a")
        tree.trash(node)
        assert planner(planted, tree).restore([node]).is_possible
        tree.add(planted.node(tree, "/guide"), Folder(title="New"), "a")
        (problem,) = planner(planted, tree).restore([node]).problems
        assert problem.suggestion == "a-2"
        assert planner(planted, tree).restore([node], names={node.id: "a-2"}).is_possible
        tree.restore(node, name="a-2")
        assert reasons(planner(planted, tree).restore([node])) == [
            "It is not in the trash any more."
        ]


def test_the_digest_changes_with_what_the_plan_says(planted):
    with planted.tree() as tree:
        guide, other = planted.node(tree, "/guide"), planted.node(tree, "/other")
        before = planner(planted, tree).move([guide], other)
        assert before.digest == planner(planted, tree).move([guide], other).digest
        tree.add(guide, Folder(title="One more"))
        assert before.digest != planner(planted, tree).move([guide], other).digest


def test_a_plan_takes_as_many_statements_for_a_large_section(planted, count_statements):
    with planted.tree() as tree:
        guide, other = planted.node(tree, "/guide"), planted.node(tree, "/other")
        plans = planner(planted, tree)
        with count_statements(planted.database) as small:
            plans.move([guide], other)
        tree.add_many(guide, [Folder(title="x", name=f"n{number}") for number in range(300)])
        tree.session.refresh(guide)
        with count_statements(planted.database) as large:
            plans.move([guide], other)
        assert len(small) == len(large) <= 7


def test_nothing_is_written(planted):
    with planted.tree() as tree:
        nodes: list[Node] = [planted.node(tree, "/guide")]
        planner(planted, tree).move(nodes, planted.node(tree, "/other"))
        assert not tree.session.dirty
