"""Extend mutmut: reach decorated functions, and run the quickest tests first."""

from collections.abc import Iterable

import libcst
from mutmut.mutation import file_mutation
from mutmut.runners.harness import PytestRunner
from mutmut.state import state

# Decorators that do the same to every version of a function.
HARMLESS = {"property", "torch.no_grad()"}


def is_harmless(node: libcst.CSTNode) -> bool:
    """Decide whether a node is a function that may be changed below its decorators."""
    return isinstance(node, libcst.FunctionDef) and all(
        libcst.Module([]).code_for_node(each.decorator) in HARMLESS
        for each in node.decorators
    )


def reach_decorated() -> None:
    """Have functions changed that stand below a harmless decorator.

    By itself mutmut leaves every decorated function as it is, and does not say so. The
    decorator stays on the switch between the versions; the versions do without.
    """
    visitor = file_mutation.MutationVisitor
    skips = visitor._skip_node_and_children
    arrange = file_mutation.function_trampoline_arrangement

    def skips_fewer(self: libcst.CSTVisitor, node: libcst.CSTNode) -> bool:
        return skips(
            self, node.with_changes(decorators=()) if is_harmless(node) else node
        )

    def arrange_bare(function: libcst.FunctionDef, *rest, **named) -> tuple:
        before, versions, after, names = arrange(function, *rest, **named)
        if is_harmless(function):
            # the first is the original, on which the decorator stays
            versions[1:] = [each.with_changes(decorators=()) for each in versions[1:]]
        return before, versions, after, names

    visitor._skip_node_and_children = skips_fewer
    file_mutation.function_trampoline_arrangement = arrange_bare


def quick_tests_first() -> None:
    """Have the quickest tests run first: the first to fail spares the rest.

    It makes a run twenty times as fast, since a property that fails is tried on ever
    smaller examples, for seconds.
    """
    words = PytestRunner._pytest_args_regular_run

    def sorted_words(self: PytestRunner, tests: Iterable[str]) -> list[str]:
        durations = state().duration_by_test
        return words(self, sorted(tests, key=lambda test: durations.get(test, 0.0)))

    PytestRunner._pytest_args_regular_run = sorted_words
