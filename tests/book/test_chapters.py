"""What every chapter promises, read from its source."""

import ast
import re

import pytest
import yaml
from reading import (
    CHAPTERS,
    calls,
    cells,
    citation_keys,
    equations,
    first_word,
    hidden,
    imports,
    prose,
    text,
)

from tools.book.toc import chapters, pages

HEADINGS = [
    "A question",
    "The derivation",
    "Check it",
    "Train it",
    "See it move",
    "Where it breaks",
    "Exercises",
    "Summary",
    "Sources",
]
VERDICTS = {"identity", "bound", "estimate"}

each_chapter = pytest.mark.parametrize("page", chapters())
each_page = pytest.mark.parametrize("page", pages())


def name(page):
    return page.split("/")[-1]


def test_the_table_of_contents_has_every_chapter_in_order():
    assert chapters() == list(CHAPTERS)


@each_chapter
def test_front_matter_makes_it_a_notebook(page):
    matter = yaml.safe_load(text(page).split("---\n")[1])
    representation = matter["jupytext"]["text_representation"]
    assert representation["extension"] == ".md"
    assert representation["format_name"] == "myst"
    assert matter["kernelspec"]["name"] == "python3"
    assert matter["kernelspec"]["display_name"]


@each_chapter
def test_it_opens_with_label_title_and_what_to_expect(page):
    opening = r"\s*\(ch-(\S+)\)=\n# (\S[^\n]*)\n(.*?)^## "
    found = re.match(opening, prose(page), flags=re.DOTALL | re.MULTILINE)
    assert found, "wanted: (ch-name)=, # Title, an opening block, the first heading"
    assert found[1] == name(page)
    for promise in ("After this chapter you can", "Needs", "Time"):
        assert promise in found[3]


@each_chapter
def test_its_headings_are_the_template_in_order(page):
    assert re.findall(r"^## (.*?)\s*$", prose(page), re.M) == HEADINGS


@each_page
def test_cells_fit_a_page_and_a_thought(page):
    for cell in cells(page):
        lines = cell.source.splitlines()
        start = lines[0] if lines else "an empty cell"
        num_lines, num_columns = (40, 88) if hidden(cell) else (15, 79)
        assert 0 < len(lines) <= num_lines, start
        assert max(map(len, lines)) <= num_columns, max(lines, key=len)


@each_page
def test_no_cell_hides_its_value_behind_a_semicolon(page):
    # it does so in Jupyter, and not where a cell runs without a history
    for cell in cells(page):
        assert not re.search(r";\s*\Z", cell.source), cell.source.splitlines()[-1]


@each_chapter
def test_equation_labels_are_unique_and_carry_the_chapters_name(page):
    labels = [label for label, _ in equations(page)]
    assert labels
    assert len(labels) == len(set(labels))
    for label in labels:
        assert label.startswith(f"eq-{name(page)}-"), label


@each_page
def test_equations_are_labelled_in_one_way_only(page):
    assert not re.search(r"\$\$\s*\(\S+\)\s*$", prose(page), re.M)
    assert not re.search(r"\\label\{", prose(page))


@each_chapter
def test_each_equation_is_checked_or_a_definition(page):
    checked = {
        first_word(call) for _, kind, call in calls(page, "check") if kind in VERDICTS
    }
    unchecked = {label for label, definition in equations(page) if not definition}
    assert not unchecked - checked


@each_chapter
def test_each_check_names_an_equation_of_its_chapter(page):
    labels = {label for label, _ in equations(page)}
    for _, kind, call in calls(page, "check"):
        if kind in VERDICTS:
            assert first_word(call) in labels


@each_chapter
def test_exercises_have_solutions_to_unfold(page):
    exercises = re.findall(r"\{exercise\}.*\n:label: (\S+)", prose(page))
    solutions = re.findall(
        r"\{solution-start\} (\S+)\n((?::.*\n)*)", prose(page), flags=re.M
    )
    assert 3 <= len(exercises) <= 5
    assert len(set(exercises)) == len(exercises)
    assert all(label.startswith(f"ex-{name(page)}-") for label in exercises)
    assert sorted(label for label, _ in solutions) == sorted(exercises)
    assert all(":class: dropdown" in options for _, options in solutions)
    assert prose(page).count("{solution-end}") == len(solutions)


@each_chapter
def test_it_moves_or_shows_at_least_one_figure(page):
    shown = [kind for _, kind, _ in calls(page, "plot") if kind == "show"]
    assert shown or calls(page, "figures")


@each_page
def test_figures_say_what_they_show_to_those_who_cannot_see(page):
    with_alt, drawing = set(), set()
    for module in ("plot", "figures"):
        for number, kind, call in calls(page, module):
            if any(word.arg == "alt" for word in call.keywords):
                with_alt.add(number)
            if (module, kind) in {("plot", "figure"), ("figures", "moving")}:
                drawing.add(number)
    assert drawing <= with_alt


@each_page
def test_figures_have_a_caption_that_says_what_to_see(page):
    for module, kind in (("plot", "show"), ("figures", "moving")):
        for _, name, call in calls(page, module):
            words = {word.arg: word.value for word in call.keywords}
            if name == kind:
                assert {"alt", "caption"} <= set(words), f"{kind}, line {call.lineno}"
                for said in (words["alt"], words["caption"]):
                    assert ast.unparse(said).strip("f'\""), (
                        f"{kind}, line {call.lineno}"
                    )


def cited(page):
    found = re.findall(r"\{cite(?::\w+)*\}`([^`]+)`", prose(page))
    return {key.strip() for keys in found for key in keys.split(",")}


@each_page
def test_citations_are_in_the_bibliography(page):
    assert cited(page) <= citation_keys()


def test_the_bibliography_holds_nothing_that_is_not_cited():
    assert citation_keys() == set().union(*map(cited, pages()))


@each_page
def test_numbers_in_the_text_were_computed_on_the_page(page):
    glued = {
        first_word(call) for _, kind, call in calls(page, "check") if kind == "glue"
    }
    used = re.findall(r"\{glue(?::\w+)?\}`([^`:]+)", prose(page))
    assert {name.strip() for name in used} <= glued


@each_page
def test_nothing_is_left_to_do(page):
    assert not re.findall(r"\b(?:TODO|FIXME|XXX|TBD)\b|(?i:lorem ipsum)", text(page))


@each_page
def test_no_cell_looks_at_the_clock(page):
    modules = {module.split(".")[0] for module in imports(page)}
    assert not modules & {"time", "datetime", "timeit", "calendar"}
    assert not any(re.search(r"^%+time", c.source, re.M) for c in cells(page))
