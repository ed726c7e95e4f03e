"""Imports point down, nothing is exported twice, and every function says what it is."""

import ast
from pathlib import Path

import jensengap
from tools.book.toc import ROOT

SRC = Path(jensengap.__file__).parent
# From the ground up. A folder is one room, with its package's name; what stands in the
# same row does not import each other.
FLOORS = (
    {"numeric", "optimizers", "terminal"},
    {"inputs"},
    {"bernoulli_pixels", "distances", "gaussians"},
    {
        "ais", "bounds", "data", "divergences", "discretized_normal", "files", "flows",
        "gan", "gradients", "markup", "nets", "quadrature", "train", "vq",
    },
    {"check", "diffusion", "exact", "metrics", "plot", "probes", "vae"},
    {"digit_gan", "exercises", "fast", "figures", "recipes", "ring"},
    {"experiments", "live"},
)  # fmt: skip
SUBJECT_IMPORTS = {"data", "markup"}  # of the folders; plot and figures draw in a page
FEW = 30  # modules at the root: what one look takes in
LONG = 420  # lines of a file: one idea, about 400


def name_of(path):
    """Name a module as it is imported, without the package's own name."""
    parts = path.relative_to(SRC).with_suffix("").parts
    return ".".join(parts).removesuffix("__init__").rstrip(".")


FILES = sorted(SRC.rglob("*.py"))
TREES = {name_of(path): ast.parse(path.read_text("utf-8")) for path in FILES}
MODULES = sorted(set(TREES) - {""})
FOLDERS = {path.parent.name for path in SRC.glob("*/__init__.py")}
ROOMS = sorted({module.partition(".")[0] for module in MODULES})


def imported(tree):
    """Name every module that the source imports, wherever it does."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                # of a module a name is taken, of a folder a module
                yield whole if whole.removeprefix("jensengap.") in TREES else base


def rooms(tree):
    """Name the rooms of the package that the source imports from."""
    parts = [name.split(".") for name in imported(tree)]
    return {p[1] for p in parts if p[0] == "jensengap" and len(p) > 1} & set(ROOMS)


def neighbours(tree):
    """Name the modules of the package that the source imports."""
    names = {name.removeprefix("jensengap.") for name in imported(tree)}
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
    (f"{module}.{name}", node, is_method)
    for module in MODULES
    for name, node, is_method in public_functions(module)
]


def test_every_room_is_on_one_floor():
    assert sorted(room for floor in FLOORS for room in floor) == ROOMS


def test_imports_point_to_a_lower_floor():
    level = {room: number for number, floor in enumerate(FLOORS) for room in floor}
    upwards = [
        f"{module} imports {other}"
        for module in MODULES
        for room in [module.partition(".")[0]]
        for other in rooms(TREES[module]) - {room}
        if level[other] >= level[room]
    ]
    assert not upwards


def test_no_circle_is_in_a_folder():
    graph = {module: neighbours(TREES[module]) - {module} for module in MODULES}
    # what has no imports left goes, again and again; a circle stays
    while free := {module for module, needs in graph.items() if not needs}:
        graph = {m: needs - free for m, needs in graph.items() if m not in free}
    assert not graph


def test_the_imports_that_the_test_reads_are_those_of_the_source():
    assert rooms(TREES["recipes"]) == {"data", "inputs", "nets", "train", "vae"}
    assert neighbours(TREES["fast.evidence"]) == {
        "fast.bernoulli_vae",
        "fast.perceptron",
        "bernoulli_pixels",
        "inputs",
        "vae",
    }
    assert len(PUBLIC) > 250


def test_the_subject_stands_flat_and_needs_few_folders():
    subject = {path.stem for path in SRC.glob("*.py")} - {"__init__"}
    assert len(subject) <= FEW
    for module in subject:
        assert rooms(TREES[module]) & FOLDERS <= SUBJECT_IMPORTS, module


def test_no_import_is_relative_or_of_the_book():
    offenders = [
        f"{module} imports {name}"
        for module in MODULES
        for name in imported(TREES[module])
        if name.startswith(".") or name.split(".")[0] in ("_ext", "tests", "tools")
    ]
    assert not offenders


def test_no_source_opens_the_book():
    offenders = {
        module
        for module in MODULES
        for node in ast.walk(TREES[module])
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if "book/" in node.value
    }
    assert not offenders


def test_every_module_has_its_tests_where_it_would_be_looked_for():
    lost = []
    for module in MODULES:
        room, _, name = module.rpartition(".")
        folder = ROOT / "tests" / (room.partition(".")[0] or "subject")
        if module in FOLDERS:
            folder = ROOT / "tests" / module
        if room == "exercises.chapters" or name == "chapters":
            continue  # tests/book/test_every_exercise.py holds them all
        if not list(folder.glob(f"test_{name}*.py")) and module not in FOLDERS:
            lost.append(module)
    assert not lost


def test_nothing_is_exported_twice():
    (only,) = TREES[""].body
    assert isinstance(only, ast.Expr)
    assert "Nothing is re-exported" in ast.get_docstring(TREES[""])
    assert not [
        f"{module}: {alias.name} as {alias.asname}"
        for module in MODULES
        for node in ast.walk(TREES[module])
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name == alias.asname
    ]


def test_a_file_is_one_idea_and_says_it_first():
    offenders = []
    for path in FILES:
        lines = path.read_text("utf-8").splitlines()
        says = lines[0].lstrip("r").startswith('"""') and len(lines[0]) > 30
        if not says or len(lines) > LONG:
            offenders.append(f"{path.relative_to(SRC)}: {len(lines)} lines")
    assert not offenders


def test_a_public_function_says_what_it_does_and_what_it_takes():
    offenders = []
    for name, node, is_method in PUBLIC:
        if node.name.startswith("_"):
            continue  # Python's own protocol; the class has said it
        text = ast.get_docstring(node) or ""
        given = [argument.arg for argument in arguments(node)]
        if not text or (given and not is_method and "Args:" not in text):
            offenders.append(name)
        elif "Args:" in text:
            offenders += [f"{name}: {a}" for a in given if f"{a}:" not in text]
    assert not offenders


def test_a_public_function_has_annotated_arguments_and_result():
    offenders = [
        name
        for name, node, _ in PUBLIC
        if node.returns is None or any(a.annotation is None for a in arguments(node))
    ]
    assert not offenders


def test_what_a_public_function_raises_is_in_its_docstring():
    offenders = []
    for name, node, is_method in PUBLIC:
        raised = {
            call.func.id
            for statement in ast.walk(node)
            if isinstance(statement, ast.Raise)
            and isinstance(call := statement.exc, ast.Call)
            and isinstance(call.func, ast.Name)
        }
        text = ast.get_docstring(node) or ""
        if not is_method:
            offenders += [f"{name}: {error}" for error in raised if error not in text]
    assert not offenders


def test_errors_are_raised_and_never_asserted():
    offenders = [
        f"{module}, line {node.lineno}"
        for module in MODULES
        for node in ast.walk(TREES[module])
        if isinstance(node, ast.Assert)
    ]
    assert not offenders
