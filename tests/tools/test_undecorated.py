"""What mutation testing leaves alone for a decorator is written without one."""

from pathlib import Path

import pytest

from tools.mutation import mutants
from tools.mutation.undecorated import undecorated

ROOT = Path(__file__).parents[2]
SOURCE = '''\
from jensengap import inputs


@inputs.checked
def half(x: float) -> float:
    """Halve."""
    return x / 2


class Pair:
    @classmethod
    @inputs.checked
    def of(cls, size: int) -> tuple:
        return cls.__name__, size

    @inputs.checked
    def times(
        self,
        number: int,
    ) -> int:
        return 2 * number  # the last line of the class


@property
def other(self) -> None: ...
'''


def run(source):
    names = {"__name__": "pair"}
    exec(compile(source, "pair", "exec"), names)
    return names


def test_the_decorator_becomes_a_call_below_the_function():
    found = undecorated(SOURCE)
    assert "@inputs.checked" not in found
    assert "    return x / 2\nhalf = inputs.checked(half)\n" in found
    assert "    of = classmethod(inputs.checked(of.__func__))\n" in found
    assert "of the class\n    times = inputs.checked(times)\n" in found
    assert "    @classmethod\n    def of(cls, size" in found
    assert "@property\ndef other" in found


@pytest.mark.parametrize("source", [SOURCE, undecorated(SOURCE)])
def test_what_the_module_does_is_the_same(source):
    names = run(source)
    pair = names["Pair"]
    assert names["half"](3) == 1.5
    assert pair.of(2) == ("Pair", 2)
    assert pair().times(4) == 8
    for wrong in (names["half"], pair.of, pair().times):
        with pytest.raises(ValueError, match="number"):
            wrong("3")


def test_no_mutated_module_keeps_a_decorator_that_mutmut_minds():
    for name in mutants.mutated_modules().values():
        path = (ROOT / "src").joinpath(*name.split(".")).with_suffix(".py")
        source = path.read_text(encoding="utf-8")
        found = undecorated(source)
        assert source.count("@inputs.checked") > 0, name
        assert found.count("inputs.checked(") == source.count("@inputs.checked"), name
        compile(found, name, "exec")
