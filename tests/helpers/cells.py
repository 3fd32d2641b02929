"""Code from documents, run as a notebook runs its cells."""

import ast


def run_cell(code: str, space: dict[str, object], name: str) -> object:
    """Run `code` in the names of `space`; gives the value of a last line that is an expression.

    `name` stands in tracebacks.
    """
    tree = ast.parse(code, name)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, name, "exec"), space)
    if last is None:
        return None
    return eval(compile(ast.Expression(last.value), name, "eval"), space)
