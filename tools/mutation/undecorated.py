"""Write `@inputs.checked` as a call below the function: mutmut minds it above."""

import ast

CHECKED = "inputs.checked"


def undecorated(source: str) -> str:
    """Move `@inputs.checked` from above each function to a line below it.

    mutmut leaves functions with a decorator alone, but for class methods. What the
    source does is the same; the lines of the functions are as they were.

    Args:
        source: of a module.

    Returns:
        The module's source with `f = inputs.checked(f)` below each such `f`.
    """
    lines = source.splitlines()
    # from the last, so that the numbers of the lines above stay right
    for node in sorted(_functions(source), key=lambda node: -node.lineno):
        names = [ast.unparse(each) for each in node.decorator_list]
        if CHECKED not in names:
            continue
        call = f"{CHECKED}({node.name})"
        if "classmethod" in names:
            call = f"classmethod({CHECKED}({node.name}.__func__))"
        indent = " " * node.col_offset
        lines.insert(node.end_lineno or node.lineno, f"{indent}{node.name} = {call}")
        del lines[node.decorator_list[names.index(CHECKED)].lineno - 1]
    return "\n".join(lines) + "\n"


def _functions(source: str) -> list[ast.FunctionDef]:
    nodes = ast.walk(ast.parse(source))
    return [node for node in nodes if isinstance(node, ast.FunctionDef)]
