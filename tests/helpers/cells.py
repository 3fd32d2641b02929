"""Code from documents, run as a notebook runs its cells."""

import ast


def run_cell(code: str, space: dict[str, object], name: str) -> object:
    """Run `code` in the names of `space`; gives the value of a last line that is an expression.

    `name` stands in tracebacks.
    """
    tree = ast.parse(code, name)
    last = tree.body[-1] if tree.body else None
    if not isinstance(last, ast.Expr):
        exec(compile(tree, name, "exec"), space)
        return None
    tree.body.pop()
    exec(compile(tree, name, "exec"), space)
    return eval(compile(ast.Expression(last.value), name, "eval"), space)
