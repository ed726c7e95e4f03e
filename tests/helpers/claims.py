"""Which glued numbers of a cell that cell has not asserted."""

import ast
import builtins
from collections.abc import Iterator

VERDICTS = {"identity", "bound", "estimate", "refuses"}
# A test of these says nothing about a value: its shape, its type, that it is a number.
_EMPTY_CALLS = {"len", "isinstance", "isfinite", "isnan", "numel", "dim", "size"}
_EMPTY_PARTS = {"shape", "dtype", "ndim"}
_BUILTINS = set(dir(builtins))


def unasserted(cell: ast.Module, tools: frozenset[str] = frozenset()) -> list[str]:
    """Return the names under which a cell glues what it has not asserted.

    A value is asserted where it stands in an `assert` or a check of the cell, also as
    the member of a tuple or the turn of a loop, and where all does that it was computed
    from in the cell. What comes first is not looked at.

    Args:
        cell: the code.
        tools: names that hold no data, such as imported modules.
    """
    sources, packed = _sources(cell, tools)
    claims = list(_claims(cell))
    claimed = {name for claim in claims for name in _names(claim, tools)}
    while more := {n for name in claimed for n in packed.get(name, set())} - claimed:
        claimed |= more
    parts = (part for claim in claims for part in ast.walk(claim))
    exactly = {ast.dump(part) for part in parts if not isinstance(part, ast.Name)}

    def asserted(name: str, seen: frozenset[str] = frozenset()) -> bool:
        if name in claimed:
            return True
        used = sources.get(name, set()) - {name}
        known = bool(used) and name not in seen
        return known and all(asserted(each, seen | {name}) for each in used)

    wanting, here = [], set(_statements(cell))
    for node in ast.walk(cell):
        if _is_check(node, {"glue"}):
            value = node.args[1]
            names = _names(value, tools)
            by_name = bool(names) and all(map(asserted, names))
            # in a function the names are others, and so would the assertion be
            if node not in here or not (by_name or ast.dump(value) in exactly):
                wanting.append(ast.literal_eval(node.args[0]))
    return wanting


def _statements(cell: ast.AST) -> Iterator[ast.AST]:
    """Yield all nodes, except the bodies of functions: they are run elsewhere."""
    for node in ast.iter_child_nodes(cell):
        if not isinstance(node, ast.FunctionDef | ast.Lambda):
            yield node
            yield from _statements(node)


def _is_check(node: ast.AST, kinds: set[str]) -> bool:
    return isinstance(node, ast.Call) and any(
        ast.unparse(node.func) == f"check.{kind}" for kind in kinds
    )


def _claims(cell: ast.Module) -> Iterator[ast.AST]:
    """Yield what is asserted, or handed to a check as one of its sides."""
    for node in _statements(cell):
        if isinstance(node, ast.Assert):
            yield node.test
        elif _is_check(node, VERDICTS):
            yield from node.args[1:3]


def _parts(claim: ast.AST) -> Iterator[ast.AST]:
    """Yield the parts of a claim that say something about a value."""
    if isinstance(claim, ast.Attribute) and claim.attr in _EMPTY_PARTS:
        return
    if isinstance(claim, ast.Call):
        name = ast.unparse(claim.func).split(".")[-1]
        if name in _EMPTY_CALLS:
            return
    yield claim
    for part in ast.iter_child_nodes(claim):
        yield from _parts(part)


def _names(expression: ast.AST, tools: frozenset[str]) -> set[str]:
    """Return the names of the data that an expression is computed from."""
    parts = list(_parts(expression))
    called = {id(part.func) for part in parts if isinstance(part, ast.Call)}
    names = [part for part in parts if isinstance(part, ast.Name)]
    bound = {name.id for name in names if isinstance(name.ctx, ast.Store)}
    bound |= {part.arg for part in parts if isinstance(part, ast.arg)}
    read = {name.id for name in names if id(name) not in called}
    return read - bound - tools - _BUILTINS


def _sources(cell: ast.Module, tools: frozenset[str]) -> tuple[dict, dict]:
    """Return what each name of the cell was computed from, and what it repacks."""
    computed: dict[str, set[str]] = {}
    packed: dict[str, set[str]] = {}
    for node in _statements(cell):
        if isinstance(node, ast.Assign):
            targets, value = node.targets, node.value
        elif isinstance(node, ast.AugAssign | ast.AnnAssign | ast.NamedExpr):
            targets, value = [node.target], node.value
        elif isinstance(node, ast.For):
            targets, value = [node.target], node.iter
        else:
            continue
        for target in targets:
            for part in ast.walk(target):
                if isinstance(part, ast.Name) and value is not None:
                    computed.setdefault(part.id, set()).update(_names(value, tools))
                    packed.setdefault(part.id, set()).update(_members(value))
    return computed, packed


def _members(value: ast.AST) -> set[str]:
    """Return the names that stand in an expression as they are, in brackets or not."""
    if isinstance(value, ast.Name):
        return {value.id}
    if isinstance(value, ast.Call) and ast.unparse(value.func) in {"zip", "enumerate"}:
        return set().union(*map(_members, value.args))
    if isinstance(value, ast.Tuple | ast.List):
        return set().union(*map(_members, value.elts))
    return set()
