"""Moved seeds give other draws, of every kind of generator; moved by 0, the same."""

import random

import numpy as np
import pytest
import torch
from sklearn.utils import check_random_state

from jensengap.data import toy
from tools.seeds import chapters, seeds


@pytest.fixture(autouse=True)
def as_before():
    """Leave seeds as moved as they were, and the shared generators as well."""
    states = random.getstate(), np.random.get_state(legacy=True)  # noqa: NPY002
    with seeds.exact(), torch.random.fork_rng([]):
        yield
    random.setstate(states[0])
    np.random.set_state(states[1])  # noqa: NPY002


def forked():
    with torch.random.fork_rng([]):
        torch.manual_seed(3)
        return float(torch.rand(1))


def legacy(seed=0):
    np.random.seed(seed)  # noqa: NPY002
    return np.random.random()  # noqa: NPY002


def later():
    generator = np.random.RandomState(9)
    generator.seed(0)
    return generator.random()


def shared():
    random.seed(0)
    return random.random()


DRAWS = {
    "torch": lambda: float(torch.manual_seed(0) and torch.rand(1)),
    "torch.random": lambda: float(torch.random.manual_seed(0) and torch.rand(1)),
    "forked": forked,
    "own": lambda: float(torch.rand(1, generator=torch.Generator().manual_seed(0))),
    "numpy": lambda: np.random.default_rng(0).random(),
    "numpy by name": lambda: np.random.default_rng(seed=0).random(),
    "numpy of two": lambda: np.random.default_rng((0, 1)).random(),
    "legacy": legacy,
    "legacy's own": lambda: np.random.RandomState(0).random(),
    "legacy's later": later,
    "legacy's largest": lambda: legacy(2**32 - 1),
    "scikit-learn": lambda: check_random_state(0).random(),
    "random": shared,
    "random's own": lambda: random.Random(0).random(),
    "a function's": lambda: float(toy.ring_of_gaussians(5, seed=0).sum()),
}


@pytest.mark.parametrize("kind", DRAWS)
def test_moved_seeds_give_other_draws_and_moved_by_zero_the_same(kind):
    draw = DRAWS[kind]
    exact = draw()
    found = {exact}
    for by in (1, 2, 12345):
        seeds.move(by)
        moved = draw()
        assert moved == draw()
        found.add(moved)
    assert len(found) == 4
    seeds.move(0)
    assert draw() == exact


def test_a_moved_seed_is_the_sum():
    seeds.move(5)
    moved = torch.manual_seed(2).initial_seed()
    own = torch.Generator().manual_seed(2).initial_seed()
    numbers = np.random.default_rng(2).random(), random.Random(2).random()
    seeds.move(0)
    assert moved == own == 7
    assert numbers == (np.random.default_rng(7).random(), random.Random(7).random())


def test_a_second_move_replaces_the_first_and_a_block_may_be_exact():
    seeds.move(5)
    seeds.move(7)
    with seeds.exact():
        assert torch.manual_seed(2).initial_seed() == 2
    assert torch.manual_seed(2).initial_seed() == 9


def test_what_is_no_seed_stays_and_generators_keep_their_types():
    seeds.move(5)
    made = np.random.default_rng(1)
    assert np.random.default_rng(made) is made
    random.Random("a name")
    assert isinstance(torch.Generator(), torch.Generator)
    assert isinstance(torch.default_generator, torch.Generator)
    assert isinstance(np.random.mtrand._rand, np.random.RandomState)
    assert not isinstance(made, np.random.RandomState)


def test_the_variable_asks_by_how_much(monkeypatch):
    monkeypatch.delenv(seeds.VARIABLE, raising=False)
    assert seeds.asked() == 0
    monkeypatch.setenv(seeds.VARIABLE, "-3")
    assert seeds.asked() == -3
    monkeypatch.setenv(seeds.VARIABLE, "three")
    with pytest.raises(ValueError, match="a whole number, got 'three'"):
        seeds.asked()


@pytest.mark.exact_seeds(reason="it is about the mark")
def test_a_marked_test_has_its_seeds_as_written():
    assert torch.manual_seed(0).initial_seed() == 0


CELLS = [
    "import torch\n\nmade = torch.manual_seed(0).initial_seed()",
    "assert made == 0, made",
]


@pytest.fixture
def page(tmp_path, monkeypatch):
    """Put a page of two cells in the place of the book's."""
    path = tmp_path / "page.md"
    head = "---\nkernelspec:\n  display_name: Python 3\n  name: python3\n---\n"
    cells = [f"\n```{{code-cell}} ipython3\n{cell}\n```\n" for cell in CELLS]
    path.write_text(head + "".join(cells), encoding="utf-8")
    monkeypatch.setattr(chapters, "source", lambda _: path)
    return "page"


def test_a_chapter_runs_with_its_seeds_moved(page, monkeypatch):
    for name, value in chapters.Setting(2, 1, "unset").variables().items():
        monkeypatch.setenv(name, value)
    found = chapters.run_cells(page)
    assert (found["cell"], found["line"]) == (2, "assert made == 0, made")
    assert found["said"] == "AssertionError: 2"


def test_a_setting_is_the_kernels_environment(monkeypatch):
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "avx2")
    found = chapters.Setting(7, 2, "unset").variables()
    assert "ATEN_CPU_CAPABILITY" not in found
    assert (found[seeds.VARIABLE], found["OMP_NUM_THREADS"]) == ("7", "2")
    found = chapters.Setting(7, 2, "default").variables()
    assert found["ATEN_CPU_CAPABILITY"] == "default"


def test_the_table_has_a_row_for_each_run_that_failed():
    setting = chapters.Setting(1, 2, "avx2")
    passed = {"page": "a/b", **setting._asdict(), "seconds": 1.0}
    failed = passed | {"cell": 3, "line": "assert a | b", "said": "Error: 1\n > 2"}
    assert not list(chapters.table([passed]))
    *_, row = chapters.table([passed, failed])
    assert row == r"| a/b | 1 | 2 | avx2 | 3 | assert a \| b | Error: 1 > 2 |"
    assert len(list(chapters.table([passed, failed]))) == 3


def test_a_page_that_needs_its_seeds_has_them_once_under_each_other_setting():
    setting = chapters.Setting(3, 2, "avx2")
    run = chapters.exact_where_needed(("appendix/reproduction", setting))
    assert run[1] == setting._replace(move=0)
    assert chapters.exact_where_needed(("gan/bridges", setting))[1] == setting
    assert chapters.EXACT.keys() <= set(chapters.code_pages())
    assert all(chapters.EXACT.values())


def test_all_pages_with_cells_run_unless_some_are_named():
    pages = chapters.parsed([]).chapter
    assert "gan/bridges" in pages
    assert "appendix/glossary" not in pages
    asked = chapters.parsed(["gan/bridges", "--moves", "1", "2"])
    assert (asked.chapter, asked.moves) == (["gan/bridges"], [1, 2])
    with pytest.raises(SystemExit):
        chapters.parsed(["gan/no-such-page"])
