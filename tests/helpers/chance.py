"""Where a chapter draws at random before its seed stands in sight."""

import ast
from collections.abc import Iterator
from functools import cache

from tools.book.toc import ROOT

# Drawn from torch's global generator: functions of torch, methods, fresh layers.
_FUNCTIONS = {
    "rand",
    "randn",
    "randint",
    "randperm",
    "rand_like",
    "randn_like",
    "bernoulli",
    "multinomial",
    "normal",
    "poisson",
}
_METHODS = {
    "sample",
    "rsample",
    "normal_",
    "uniform_",
    "bernoulli_",
    "exponential_",
    "random_",
    "multinomial",
}
_LAYERS = {"Linear", "Conv1d", "Conv2d", "ConvTranspose2d", "Embedding", "GRU", "LSTM"}
_TORCH = {"torch", "nn", "torch.nn"}


def unseeded(cells: list[ast.Module]) -> str:
    """Return the first line that draws before a seed was set; nothing if none does.

    A seed is set by ``torch.manual_seed`` of a literal, or of the variable of a loop
    over literals; or by the first line of the function that draws.
    """
    imported = frozenset().union(*map(_imported, cells))
    drawing: set[str] = set()  # the chapter's own functions
    for cell in cells:
        for line, loops in _lines(cell.body):
            if _seeds(line, loops):
                return ""
            nodes = list(ast.walk(line))
            draws = any(isinstance(n, ast.Name) and n.id in drawing for n in nodes)
            draws |= any(_random(n, "", imported, package()) for n in nodes)
            name = _defined(line)
            if draws and not name:
                return ast.unparse(line).splitlines()[0]
            if draws and not _seeds_itself(line):
                drawing.add(name)
    return ""


def _lines(body: list[ast.stmt], loops: tuple[ast.For, ...] = ()) -> Iterator[tuple]:
    """Yield statements in order, those of blocks one by one, and the loops around."""
    for line in body:
        blocks = [getattr(line, part, []) for part in ("body", "orelse", "finalbody")]
        if isinstance(line, ast.FunctionDef | ast.ClassDef) or not any(blocks):
            yield line, loops
            continue
        heads = [getattr(line, part, None) for part in ("iter", "test")]
        yield from ((head, loops) for head in heads if head is not None)
        inner = (*loops, line) if isinstance(line, ast.For) else loops
        for block in blocks:
            yield from _lines(block, inner)


def _seeds(line: ast.AST, loops: tuple[ast.For, ...]) -> bool:
    if not ast.unparse(line).startswith("torch.manual_seed("):
        return False
    seed = line.value.args[0]
    over = {ast.unparse(loop.target): loop.iter for loop in loops}
    return isinstance(seed, ast.Constant) or _literal(over.get(ast.unparse(seed)))


def _literal(numbers: ast.AST | None) -> bool:
    if isinstance(numbers, ast.Call) and ast.unparse(numbers.func) == "range":
        return all(isinstance(number, ast.Constant) for number in numbers.args)
    if isinstance(numbers, ast.Tuple | ast.List):
        return all(isinstance(number, ast.Constant) for number in numbers.elts)
    return False


def _defined(line: ast.AST) -> str:
    """Return the name of a function that a line defines, by `def` or by a lambda."""
    if isinstance(line, ast.FunctionDef | ast.ClassDef):
        return line.name
    named = isinstance(line, ast.Assign) and isinstance(line.value, ast.Lambda)
    return ast.unparse(line.targets[0]) if named else ""


def _seeds_itself(line: ast.AST) -> bool:
    if not isinstance(line, ast.FunctionDef):
        return False
    first = line.body[1:] if ast.get_docstring(line) else line.body
    return any(ast.unparse(each).startswith("torch.manual_seed(") for each in first[:1])


def _random(
    node: ast.AST, module: str, imported: frozenset[str], known: frozenset[str]
) -> bool:
    """Say whether a node is a call that draws from the global generator."""
    if not isinstance(node, ast.Call) or any(
        word.arg == "generator" and ast.unparse(word.value) != "generator"
        for word in node.keywords
    ):
        return False  # a generator of its own; one that is handed on may be none
    of, _, name = ast.unparse(node.func).rpartition(".")
    if of in _TORCH:
        return name in _FUNCTIONS | _LAYERS
    if not of or of in imported:
        return f"{of or module}.{name}" in known
    return name in _METHODS or f"*.{name}" in known


def _imported(tree: ast.Module) -> frozenset[str]:
    return frozenset(
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    )


@cache
def _modules() -> dict[str, ast.Module]:
    """Parse the package; a module goes by its last name, as a chapter calls it."""
    return {
        (path.parent if path.stem == "__init__" else path).stem: ast.parse(
            path.read_text(encoding="utf-8")
        )
        for path in sorted((ROOT / "src" / "jensengap").rglob("*.py"))
        if path.parent.name != "chapters"  # their functions are no chapter's
    }


@cache
def package() -> frozenset[str]:
    """Return what draws in the package: ``module.function``, and ``*.method``."""
    parts = [
        (f"{of}.{node.name}", node, module)
        for module, tree in _modules().items()
        for of, body in [(module, tree.body), *(("*", c.body) for c in _classes(tree))]
        for node in body
        if isinstance(node, ast.FunctionDef)
    ]
    found: frozenset[str] = frozenset()
    while True:
        draws = {part: _draws(*part[1:], found) for part in parts}
        # of two methods with one name, one that draws is not enough to tell
        silent = {part[0] for part in parts if not draws[part]}
        more = frozenset(part[0] for part in parts) - silent
        if more == found:
            return found
        found = more


def _draws(function: ast.FunctionDef, module: str, known: frozenset[str]) -> bool:
    words = (*function.args.args, *function.args.kwonlyargs)
    if any(word.arg == "seed" for word in words):
        return False  # it draws from nothing else
    imported = _imported(_modules()[module])
    nodes = ast.walk(function)
    return any(_random(node, module, imported, known) for node in nodes)


def _classes(module: ast.Module) -> list[ast.ClassDef]:
    return [node for node in module.body if isinstance(node, ast.ClassDef)]
