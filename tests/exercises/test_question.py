"""A question says how it is answered."""

from questions import AREA, SIDE

from jensengap.exercises import question


def test_a_number_names_its_unit_and_the_arguments_of_a_function():
    said = question.instruction(AREA)
    assert said.startswith(AREA.ask)
    assert "a number in nats" in said
    assert "a function of a, b " in said


def test_a_number_without_arguments_says_so():
    assert "a function of nothing" in question.instruction(AREA._replace(cases=({},)))


def test_a_number_without_a_unit_names_none():
    assert "a number, or" in question.instruction(AREA._replace(unit=""))


def test_a_choice_lists_its_statements_by_letter():
    assert question.letters(SIDE) == {
        "a": "above",
        "b": "below",
        "c": "beside",
        "d": "anywhere",
    }
    said = question.instruction(SIDE)
    assert "a) above; b) below; c) beside; d) anywhere." in said
    assert SIDE.options["below"] not in said
