"""Imports point down, nothing is exported twice, and every function says what it is."""

import ast
from pathlib import Path

import pytest

import jensengap

SRC = Path(jensengap.__file__).parent
ROOT = SRC.parents[1]
LAYERS = {
    "adam": 0, "backprop": 0, "bounds": 0, "checkpoint": 0,
    "convnets": 0, "data": 0, "data_full": 0, "data_toy": 0, "discretized": 0,
    "divergences": 0, "flows": 0, "gradients": 0, "nets": 0, "page": 0, "pixels": 0,
    "processes": 0, "projections": 0, "quadrature": 0, "question": 0, "recordings": 0,
    "tables": 0, "timelimit": 0, "vq": 0, "weights": 0, "widgets": 0,
    "ais": 1, "diffusion": 1, "exact": 1, "gan": 1, "glue": 1, "soap": 1, "stage": 1,
    "trial": 1,
    "vae": 1, "verdict": 1,
    "coverage": 2, "fused": 2, "given": 2, "metrics": 2, "probes": 2, "train": 2,
    "classifier": 3, "digit_gan": 3, "exercises": 3, "importance": 3, "marking": 3,
    "match": 3, "plot": 3, "recipes": 3, "ring": 3,
    "answer_sheet": 4, "arena": 4, "figures": 4, "form": 4, "latent_meaning": 4,
    "latent_plane": 4, "table_one": 4,
    "ask": 5, "emblem": 5, "live": 5, "long_run": 5,
    "check": 6, "one_run": 6,
    "reproduce": 7,
}  # fmt: skip
# The full sets are data too, too long for one file.
EXCEPTIONS = {("data_full", "data")}
FILES = sorted(SRC.rglob("*.py"))
# A folder's modules are of one layer, that of the folder.
TREES = {
    ".".join(path.relative_to(SRC).with_suffix("").parts).removesuffix(".__init__"): (
        ast.parse(path.read_text("utf-8"))
    )
    for path in FILES
}
MODULES = sorted(set(TREES) - {"__init__"})


def imported(tree):
    """Name every module that the source imports, wherever it does."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def siblings(tree):
    """Name the modules of the package that the source imports."""
    parts = [name.split(".") for name in imported(tree)]
    names = {p[1] for p in parts if p[0] == "jensengap" and len(p) > 1}
    return names & set(MODULES)


def public_functions(module):
    """Yield (name, node, is_method) of what users may call."""
    for node in TREES[module].body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef):
                    yield f"{node.name}.{inner.name}", inner, True
        elif isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node.name, node, False


def arguments(node):
    """List the arguments that a caller gives."""
    a = node.args
    every = [*a.posonlyargs, *a.args, a.vararg, *a.kwonlyargs, a.kwarg]
    return [x for x in every if x is not None and x.arg not in ("self", "cls")]


PUBLIC = [
    pytest.param(node, is_method, id=f"{module}.{name}")
    for module in MODULES
    for name, node, is_method in public_functions(module)
]


def unit(module):
    """Name what has a layer: a module, or the folder that it is in."""
    return module.partition(".")[0]


def test_every_module_has_a_layer_and_every_layer_its_modules():
    assert set(LAYERS) == set(map(unit, MODULES))


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_to_a_lower_layer(module):
    for other in siblings(TREES[module]):
        below = LAYERS[other] < LAYERS[unit(module)]
        assert below or (module, other) in EXCEPTIONS, f"{module} imports {other}"


def test_the_imports_that_the_test_reads_are_those_of_the_source():
    assert siblings(TREES["figures"]) == {"plot", "widgets"}
    assert siblings(TREES["recipes"]) == {"data", "nets", "train", "vae"}
    assert set(EXCEPTIONS) <= {
        ("data_full", other) for other in siblings(TREES["data_full"])
    }


@pytest.mark.parametrize("module", MODULES)
def test_no_import_is_relative_or_of_the_book(module):
    names = list(imported(TREES[module]))
    assert not [name for name in names if name.startswith(".")]
    assert not {name.split(".")[0] for name in names} & {"book", "tests", "tools"}


@pytest.mark.parametrize("module", MODULES)
def test_no_source_opens_the_book(module):
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            assert "book/" not in node.value


@pytest.mark.parametrize("module", [m for m in MODULES if not m.startswith("_")])
def test_every_module_has_its_tests(module):
    assert (ROOT / "tests" / f"test_{unit(module)}.py").is_file()


def test_the_package_itself_holds_its_docstring_and_nothing_else():
    (only,) = TREES["__init__"].body
    assert isinstance(only, ast.Expr)
    assert "Nothing is re-exported" in ast.get_docstring(TREES["__init__"])


@pytest.mark.parametrize("path", FILES, ids=sorted(TREES))
def test_a_file_is_one_idea_in_at_most_250_lines_and_says_it_first(path):
    lines = path.read_text("utf-8").splitlines()
    assert len(lines) <= 250
    assert lines[0].lstrip("r").startswith('"""')
    assert len(lines[0]) > 30


@pytest.mark.parametrize(("node", "is_method"), PUBLIC)
def test_a_public_function_says_what_it_does_and_what_it_takes(node, is_method):
    if node.name.startswith("_"):
        return  # Python's own protocol; the class has said it
    text = ast.get_docstring(node)
    assert text, "no docstring"
    given = [argument.arg for argument in arguments(node)]
    if given and not is_method:
        assert "Args:" in text
    if "Args:" in text:
        for name in given:
            assert f"{name}:" in text, f"{name} is not explained"


@pytest.mark.parametrize(("node", "is_method"), PUBLIC)
def test_a_public_function_has_annotated_arguments_and_result(node, is_method):
    assert node.returns is not None
    assert [a.arg for a in arguments(node) if a.annotation is None] == []


@pytest.mark.parametrize(("node", "is_method"), PUBLIC)
def test_what_a_public_function_raises_is_in_its_docstring(node, is_method):
    raised = {
        call.func.id
        for statement in ast.walk(node)
        if isinstance(statement, ast.Raise) and isinstance(statement.exc, ast.Call)
        for call in [statement.exc]
        if isinstance(call.func, ast.Name)
    }
    text = ast.get_docstring(node) or ""
    for name in raised:
        assert name in text or is_method


@pytest.mark.parametrize("module", MODULES)
def test_errors_are_raised_and_never_asserted(module):
    assert not [n for n in ast.walk(TREES[module]) if isinstance(n, ast.Assert)]
