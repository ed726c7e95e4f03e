"""The judge of mutation testing counts rightly, and no fault passes it."""

from pathlib import Path

import pytest

from tools.mutation import survivors
from tools.mutation.survivors import Change, Mutant

ROOT = Path(__file__).parents[2]
DIFF = """\
--- src/jensengap/bounds.py
+++ src/jensengap/bounds.py
@@ -1,4 +1,4 @@
 def elbo(log_w):
     _num_samples(log_w)
-    return log_w.mean(
-        0)
+    return log_w.mean(1)
"""
MADE = Change("bounds.elbo", "return log_w.mean(0)", "return log_w.mean(1)")
OTHER = Change("gan.value", "a + b", "a - b")
REASON = """
[[survivor]]
function = "bounds.elbo"
was = "return log_w.mean(0)"
now = "return log_w.mean(1)"
why = "One axis is as good as another."
"""


def alive(change):
    return Mutant(change, "survived")


def found(mutants, reasons=(), modules=("bounds",)):
    return list(survivors.faults(mutants, reasons, modules))


def test_a_change_is_the_lines_before_and_after_without_their_indentation():
    assert survivors.changed_lines(DIFF) == (
        "return log_w.mean( 0)",
        "return log_w.mean(1)",
    )


def test_a_reason_is_read_with_the_change_that_it_explains(tmp_path):
    path = tmp_path / "survivors.toml"
    path.write_text(REASON)
    assert survivors.read_reasons(path) == {MADE: "One axis is as good as another."}
    path.write_text("")
    assert survivors.read_reasons(path) == {}


@pytest.mark.parametrize(
    "wrong",
    [
        REASON.replace("One axis is as good as another.", " "),
        REASON.replace("why", "reason"),
        REASON.replace('function = "bounds.elbo"', ""),
        REASON + 'line = "7"',
        REASON + REASON,
    ],
)
def test_a_reason_that_is_incomplete_or_said_twice_is_refused(tmp_path, wrong):
    path = tmp_path / "survivors.toml"
    path.write_text(wrong)
    with pytest.raises(ValueError, match=r"survivors\.toml"):
        survivors.read_reasons(path)


def test_nothing_is_wrong_where_all_are_killed_or_explained():
    killed = [Mutant(MADE._replace(now=f"{i}"), "killed") for i in range(19)]
    assert found(killed) == []
    assert found([*killed, alive(MADE)], {MADE: "so"}) == []


def test_a_survivor_without_a_reason_is_a_fault_that_shows_the_change():
    killed = [Mutant(MADE._replace(now=f"{i}"), "killed") for i in range(99)]
    for end in ("survived", "run by no test", "exit code 3"):
        (fault,) = found([*killed, Mutant(MADE, end)])
        assert fault.startswith(f"{end}, unexplained: in bounds.elbo")
        assert "- return log_w.mean(0)\n    + return log_w.mean(1)" in fault


def test_a_reason_without_a_survivor_is_a_fault_unless_its_module_was_left_out():
    killed = [Mutant(MADE, "killed")]
    (fault,) = found(killed, {MADE: "so"})
    assert fault.startswith("explained, but no mutant survives so: in bounds.elbo")
    assert found(killed, {OTHER: "so"}) == []


def test_explanations_do_not_raise_the_rate():
    killed = [Mutant(MADE._replace(now=f"{i}"), "killed") for i in range(18)]
    (fault,) = found([*killed, alive(MADE)], {MADE: "so"})
    assert fault == "18 of 19 were killed; 95% are wanted"


def test_a_module_without_mutants_is_a_fault():
    mutants = [Mutant(MADE, "killed")]
    (fault,) = found(mutants, modules=("bounds", "gan"))
    assert fault == "no mutant was made in gan"


def test_the_table_counts_each_module_and_all():
    mutants = [Mutant(MADE._replace(now=f"{i}"), "killed") for i in range(3)]
    mutants += [alive(MADE), alive(OTHER), Mutant(OTHER._replace(now="x"), "killed")]
    text = survivors.table(mutants, {MADE: "so"}, ("bounds", "gan"))
    rows = [line.split() for line in text.splitlines()]
    assert rows[0] == ["made", "killed", "explained", "unexplained", "rate"]
    assert rows[1] == ["bounds", "4", "3", "1", "0", "75.0%"]
    assert rows[2] == ["gan", "2", "1", "0", "1", "50.0%"]
    assert rows[3] == ["all", "6", "4", "1", "1", "66.7%"]


def test_the_reasons_at_hand_can_be_read_and_are_about_modules_that_exist():
    for change in survivors.read_reasons(ROOT / "tests" / "tools" / "survivors.toml"):
        source = ROOT / "src" / "jensengap" / f"{change.module}.py"
        name = change.function.rpartition(".")[2]
        assert f"def {name}(" in source.read_text("utf-8"), change.function
