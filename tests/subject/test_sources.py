"""Every formula of the subject names its source, and the bibliography has it."""

import ast
import re
from pathlib import Path

import pytest
from pybtex.database import parse_file
from pybtex.richtext import Text
from reading import BOOK, prose

import jensengap
from tools.book.toc import pages

SRC = Path(jensengap.__file__).parent
# The root, data/ and fast/: what computes, and not what teaches, draws or records.
TREES = {
    ".".join(path.relative_to(SRC).with_suffix("").parts): ast.parse(
        path.read_text("utf-8")
    )
    for folder in (".", "data", "fast")
    for path in sorted((SRC / folder).glob("*.py"))
}
# Formulas that nobody invented, or that were made here.
WITHOUT_A_SOURCE = {
    "check.bound": "a comparison of two numbers",
    "check.identity": "a comparison of two numbers",
    "distances.between": "the definition of a distance",
    "divergences.Estimate.of": "the standard error of a mean: any textbook has it",
    "divergences.kl_monte_carlo": "the definition, and the mean of a sample",
    "divergences.kl_quadrature": "the definition, on a rule",
    "figures.emblem": "a drawing of this book's",
    "flows.Mapped": "a record; the map that fills it has the source",
    "gaussians.log_prob": "the definition of a support",
    "gaussians.scale_tril": "the definition of a Cholesky factor",
    "metrics.edge_steepness": "a measure of this package's own",
    "nets.Conditional": "the notation of a conditional distribution",
    "nets.StandardNormal": "the notation of a standard normal distribution",
    "nets.fixed_scale": "the density of a Gaussian",
    "nets.gaussian": "the density of a Gaussian",
    "nets.start_at_mean": "common practice; no first place is known",
    "plot.gaussian_ellipse": "the contour of a Gaussian",
    "plot.three_bars": "a drawing of this book's",
    "probes.Projection": "the notation of a linear map",
    "quadrature.log_evidence": "the definition, on a rule",
    "ring.play": "the notation of a weight; the match has the source",
    "train.fit": "the mean of what an epoch saw",
    "vq.usage": "the notation of a number of codes",
}
_NAME = r"(?:van den )?[A-ZÀ-Þ][\w'-]+"
_SHORT = re.compile(rf"({_NAME}(?:, {_NAME})*(?: and {_NAME}| et al\.)?) \((\d{{4}})\)")


def documented(module):
    """Yield name, docstring and the class's docstring of a module and what it holds."""
    tree = TREES[module]
    yield module, ast.get_docstring(tree) or "", ""
    for node in tree.body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef):
            continue
        own = ast.get_docstring(node) or ""
        yield f"{module}.{node.name}", own, ""
        for inner in node.body if isinstance(node, ast.ClassDef) else []:
            if isinstance(inner, ast.FunctionDef):
                text = ast.get_docstring(inner) or ""
                yield f"{module}.{node.name}.{inner.name}", text, own


DOCUMENTED = [each for module in TREES for each in documented(module)]
SOURCES = {
    name: " ".join(found[1].split())
    for name, text, _ in DOCUMENTED
    if (
        found := re.search(r"^Source: (.+?)(?:\n\n|\Z)", text, re.DOTALL | re.MULTILINE)
    )
}
ENTRIES = parse_file(str(BOOK / "references.bib"), "bibtex").entries


def short_forms(key):
    """Write an entry in the ways in which a line may name it."""
    names = [
        str(Text.from_latex(" ".join(person.prelast_names + person.last_names)))
        for person in ENTRIES[key].persons["author"]
    ]
    if len(names) == 1:
        return {names[0]}
    whole = f"{', '.join(names[:-1])} and {names[-1]}"
    return {whole} if len(names) == 2 else {whole, f"{names[0]} et al."}


def entries(authors, year):
    """Name the entries of the bibliography that a short form may mean."""
    return [
        key
        for key in ENTRIES
        if ENTRIES[key].fields["year"] == year and authors in short_forms(key)
    ]


CITED = {name: _SHORT.findall(source) for name, source in SOURCES.items()}
KEYS = {key for found in CITED.values() for each in found for key in entries(*each)}
each_source = pytest.mark.parametrize("name", SOURCES)


def is_public(name):
    return not any(part.startswith("_") for part in name.split("."))


def test_a_formula_has_a_source_or_a_reason_to_have_none():
    lost = [
        name
        for name, text, of_class in DOCUMENTED
        if is_public(name) and name not in TREES and "$" in text
        if not re.search(r"^Source: ", f"{text}\n{of_class}", re.MULTILINE)
    ]
    assert not set(lost) - set(WITHOUT_A_SOURCE)


def test_what_is_said_to_have_no_source_is_there_and_has_none():
    names = {name for name, _, _ in DOCUMENTED}
    assert set(WITHOUT_A_SOURCE) <= names - set(SOURCES)


def test_a_source_stands_on_a_line_of_its_own():
    assert not [
        name for name, text, _ in DOCUMENTED if "Source" in text and name not in SOURCES
    ]
    assert len(SOURCES) > 80


@each_source
def test_a_source_is_named_by_authors_and_year(name):
    years = re.findall(r"\b(?:19|20)\d\d\b", SOURCES[name])
    assert CITED[name]
    assert [year for _, year in CITED[name]] == years


@each_source
def test_a_source_is_one_entry_of_the_bibliography(name):
    found = {each: entries(*each) for each in CITED[name]}
    assert all(len(keys) == 1 for keys in found.values()), found


def test_a_typo_in_an_author_or_a_year_is_found():
    assert entries("Li and Turner", "2016") == ["li2016"]
    assert entries("van den Oord, Vinyals and Kavukcuoglu", "2017") == ["oord2017"]
    assert entries("Kynkäänniemi et al.", "2019") == ["kynkaanniemi2019"]
    assert not entries("Li and Turner", "2017")
    assert not entries("Li and Tuner", "2016")
    assert not entries("Li et al.", "2016")


def test_what_the_references_alone_cite_is_the_source_of_a_function():
    keys = {
        page: {
            key
            for keys in re.findall(r"\{cite(?::\w+)*\}`([^`]+)`", prose(page))
            for key in keys.split(",")
        }
        for page in pages()
    }
    alone = keys.pop("appendix/references")
    assert alone == KEYS - set().union(*keys.values())
