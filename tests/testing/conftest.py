"""The example is a project of its own; ``test_example`` runs its tests in a process of theirs."""

collect_ignore = ["example"]
