"""Each mistake is refused beside its cure; each claim of the source has a verdict."""

import ast
import re

import pytest
from reading import APPENDICES, equations, prose, text

from tools.book.toc import chapters

CLAIMS, MISTAKES = APPENDICES[:2]
VERDICTS = {"right", "imprecise", "contested", "wrong"}
ACCEPTS = {"identity", "bound", "estimate"}
# Written out, so that a mistake that drops out of the page is missed.
KNOWN = (
    "exp(logvar) as the scale",
    "Mean plus standard deviation at evaluation",
    "One noise vector for the whole batch",
    "Noise that is never drawn again",
    "sample where rsample is meant",
    "A baseline that peeks",
    "The KL with the wrong sign",
    "A weighted loss reported as a bound",
    "KL summed over the batch, reconstruction averaged",
    "Keeping the best of many noisy scores",
    "A Monte-Carlo figure printed as the value",
    "The mean of the logarithms",
    "Inverted weights",
    "An exponential before its maximum is taken out",
    "The D² normaliser",
    "A mean that hides the noise",
    "Cross-entropy of grey pixels as a log-likelihood",
    "Two units, one table",
    "Saturation explained backwards",
    "The non-saturating loss taken for the Jensen–Shannon divergence",
)


def sections(page):
    """Return what stands under each heading of the third rank, by its title."""
    parts = re.split(r"^##{1,2} (.*)$", text(page), flags=re.M)
    titles = re.findall(r"^### (.*)$", text(page), flags=re.M)
    found = dict(zip(parts[1::2], parts[2::2], strict=True))
    return {title: found[title] for title in titles}


def checks(section):
    """Return the checks of a section's cells: kind, equation, call."""
    cells = re.findall(r"^```\{code-cell\}.*?\n(.*?)^```$", section, re.M | re.S)
    python = (re.sub(r"^:tags:.*$", "", cell, flags=re.M) for cell in cells)
    calls = (node for cell in python for node in ast.walk(ast.parse(cell)))
    return [
        (call.func.attr, ast.literal_eval(call.args[0]), call)
        for call in calls
        if isinstance(call, ast.Call)
        and ast.unparse(call.func) in {f"check.{k}" for k in (*ACCEPTS, "refuses")}
    ]


def keyword(call, name, default=None):
    """Return an argument that was given by name, as it stands there."""
    given = {word.arg: word.value for word in call.keywords}
    return ast.literal_eval(given[name]) if name in given else default


def labels():
    return {label for page in chapters() for label, _ in equations(page)}


each_mistake = pytest.mark.parametrize("name", list(sections(MISTAKES)))
each_claim = pytest.mark.parametrize("name", list(sections(CLAIMS)))


def test_the_mistakes_are_those_that_are_known():
    assert tuple(sections(MISTAKES)) == KNOWN


@each_mistake
def test_a_mistake_is_refused_and_its_cure_accepted_by_the_same_equation(name):
    found = checks(sections(MISTAKES)[name])
    refused = [label for kind, label, _ in found if kind == "refuses"]
    accepted = [label for kind, label, _ in found if kind in ACCEPTS]
    assert len(refused) == 1
    assert set(refused) <= set(accepted)


@each_mistake
def test_what_refuses_a_mistake_is_no_stricter_than_what_accepts_the_cure(name):
    found = checks(sections(MISTAKES)[name])
    (refusal,) = [call for kind, _, call in found if kind == "refuses"]
    margin = ast.literal_eval(refusal.args[3])
    claimed = keyword(refusal, "kind", "identity")
    for kind, _, call in found:
        if kind == claimed and kind == "estimate":
            assert margin > 4
        elif kind == claimed:
            default = 1e-12 if kind == "identity" else 0.0
            tolerance = ast.literal_eval(call.args[3]) if call.args[3:] else default
            assert tolerance <= margin


@each_mistake
def test_a_mistake_leads_to_its_chapter_and_to_the_equation_that_it_breaks(name):
    section = sections(MISTAKES)[name]
    assert re.search(r"\{ref\}`ch-[\w-]+`", section)
    for _, label, _ in checks(section):
        assert f"{{eq}}`{label}`" in section
        assert label in labels()


@each_mistake
def test_a_mistake_is_explained_in_a_few_sentences_before_it_is_executed(name):
    words = sections(MISTAKES)[name].split("```")[0].split()
    assert 25 <= len(words) <= 110


def test_the_lines_of_the_mistakes_can_be_told_apart():
    found = [check for part in sections(MISTAKES).values() for check in checks(part)]
    cases = [(label, keyword(call, "case")) for _, label, call in found]
    assert all(case for _, case in cases)
    assert len(set(cases)) == len(cases)


def table():
    """Return the rows of the claims: a verdict and the labels that it links to."""
    rows = re.findall(r"^\| (.*?) \| (\w+) \| (.*?) \|$", prose(CLAIMS), re.M)
    return [row for row in rows if row[1] != "verdict"]


def test_the_table_has_a_row_for_each_claim_in_order():
    targets = re.findall(r"^\((claim-[\w-]+)\)=\n### ", text(CLAIMS), re.M)
    assert len(targets) == len(sections(CLAIMS)) >= 9
    assert [re.search(r"<(claim-[\w-]+)>", row[2])[1] for row in table()] == targets
    assert all(re.search(r"\{ref\}`ch-[\w-]+`", row[2]) for row in table())


def test_a_claim_has_the_verdict_that_the_table_says():
    for (_, verdict, _), section in zip(
        table(), sections(CLAIMS).values(), strict=True
    ):
        (said,) = re.findall(r"^\*\*Verdict: (\w+)\.?\*\*", section, re.M)
        assert said == verdict
        assert verdict in VERDICTS


@each_claim
def test_a_claim_is_executed_where_it_stands(name):
    section = sections(CLAIMS)[name]
    found = checks(section)
    assert [label for kind, label, _ in found if kind in ACCEPTS] or "{ref}" in section
    assert found
    for _, label, _ in found:
        assert label in labels()
        assert f"{{eq}}`{label}`" in section or "{ref}" in section


@pytest.mark.parametrize("page", APPENDICES)
def test_an_appendix_has_no_equations_of_its_own(page):
    assert not equations(page)
    (label,) = re.findall(r"^\(([\w-]+)\)=\n# ", prose(page), re.M)
    assert label == page.split("/")[-1]
