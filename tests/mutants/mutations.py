"""What is changed: single expressions and statements of a module, in its syntax tree.

Left out is what no behaviour depends on: annotations and type aliases, docstrings, imports, code
for type checkers, assertions, ``__slots__`` and ``__all__``, what runs a module as a script, the
arguments of ``dataclass`` and ``lru_cache``, and ``strict`` of ``zip``.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

#: In characters, the most code that is shown around a change.
_SHOWN = 120
_SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.BitXor: ast.BitAnd,
}
#: Comparisons whose negation is the swap.
_NEGATED_BY_SWAP = (ast.Eq, ast.NotEq, ast.Is, ast.IsNot, ast.In, ast.NotIn)
_TYPE_ALIAS = re.compile(r"_?[A-Z][a-z]\w*|T")
_CALLS_LEFT_OUT = frozenset({"dataclass", "lru_cache"})
_NAMES_LEFT_OUT = frozenset({"__slots__", "__all__"})
_Function = (ast.FunctionDef, ast.AsyncFunctionDef)


class Mutation(NamedTuple):
    """A change of a module."""

    #: The qualified name of the function or class; empty outside of these.
    function: str
    #: The code around the change, without and with it.
    before: str
    after: str
    #: Where the change is.
    line: int
    #: The lines of the changed statement, but not those of statements inside of it. Of a decorator
    #: or default value they are those of the function.
    lines: range
    #: What the statement defines or calls, if the import of the module runs it; the name of the
    #: function for its decorators.
    names: tuple[str, ...]
    #: The place of the change among all of the module.
    index: int


class _Place(NamedTuple):
    """A member of a node, or an item of a list of nodes, with what can stand there instead."""

    holder: Any
    key: Any
    news: list[ast.AST]


def list_mutations(source: str) -> list[Mutation]:
    """Return all changes of a module."""
    tree = ast.parse(source)
    found: list[Mutation] = []
    for place, path, function in _walk(tree):
        old = _get(place.holder, place.key)
        statement = next(node for node in reversed((*path, old)) if isinstance(node, ast.stmt))
        lines, names = _lines_of(statement), _names_of(statement, path)
        line = next(node.lineno for node in reversed((*path, old)) if hasattr(node, "lineno"))
        shown = _choose_shown(path, old)
        before = _unparse(shown)
        for new in place.news:
            _set(place.holder, place.key, ast.copy_location(new, old))
            after = _unparse(new if shown is old else shown)
            found.append(Mutation(function, before, after, line, lines, names, len(found)))
        _set(place.holder, place.key, old)
    return found


def mutate(source: str, index: int) -> ast.Module:
    """Return the syntax tree of a module with one change. index: its place among all."""
    tree = ast.parse(source)
    for place, _, _ in _walk(tree):
        if index < len(place.news):
            new = ast.copy_location(place.news[index], _get(place.holder, place.key))
            _set(place.holder, place.key, new)
            return ast.fix_missing_locations(tree)
        index -= len(place.news)
    raise IndexError(index)


def _get(holder: Any, key: Any) -> Any:
    return holder[key] if isinstance(holder, list) else getattr(holder, key)


def _set(holder: Any, key: Any, value: Any) -> None:
    if isinstance(holder, list):
        holder[key] = value
    else:
        setattr(holder, key, value)


# --- what is shown -------------------------------------------------------------------------------


def _choose_shown(path: tuple[ast.AST, ...], changed: ast.AST) -> ast.AST:
    """Return the statement of a change; if that is long, as much around the change as is short."""
    shown = changed
    for node in reversed(path):
        if isinstance(shown, (ast.stmt, ast.ExceptHandler)):
            break
        if isinstance(shown, (ast.expr, ast.keyword)) and len(_unparse(node)) > _SHOWN:
            break
        shown = node
    return shown


def _unparse(node: ast.AST) -> str:
    """Return the code of a node; of a statement that has others inside, without these."""
    if isinstance(node, ast.stmt) and hasattr(node, "body"):
        node = copy.copy(node)
        for member in ("body", "orelse", "finalbody", "handlers"):
            if getattr(node, member, None):
                empty = [ast.Expr(ast.Constant(...))] if member == "body" else []
                setattr(node, member, empty)
        if isinstance(node, ast.Try):
            node.finalbody = [ast.Pass()]
    return ast.unparse(ast.fix_missing_locations(node))


def _lines_of(statement: ast.stmt) -> range:
    first, last = statement.lineno, statement.end_lineno or statement.lineno
    if isinstance(statement, (*_Function, ast.ClassDef)):
        # Decorators and default values are seen when the function runs.
        first = statement.body[0].lineno
    elif hasattr(statement, "body"):
        last = max(first, statement.body[0].lineno - 1)
    return range(first, last + 1)


def _names_of(statement: ast.stmt, path: tuple[ast.AST, ...]) -> tuple[str, ...]:
    if isinstance(statement, (*_Function, ast.ClassDef)):
        return (statement.name,)
    if any(isinstance(node, _Function) for node in path):
        return ()
    if isinstance(statement, ast.Expr):
        return tuple(n.id for n in ast.walk(statement) if isinstance(n, ast.Name))[:1]
    return tuple(
        node.id
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    )


# --- where ---------------------------------------------------------------------------------------


def _walk(tree: ast.Module) -> Iterator[tuple[_Place, tuple[ast.AST, ...], str]]:
    """Yield each place, the nodes around it from the outside, and the name of its function."""
    yield from _walk_node(tree, (), "")


def _walk_node(
    node: ast.AST, path: tuple[ast.AST, ...], function: str
) -> Iterator[tuple[_Place, tuple[ast.AST, ...], str]]:
    around = (*path, node)
    if isinstance(node, (*_Function, ast.ClassDef)):
        function = f"{function}.{node.name}".lstrip(".")
    for holder, key, child in _list_children(node):
        if _is_left_out(node, child):
            continue
        if isinstance(child, ast.expr_context):
            continue
        news = list(_list_news(node, key, child))
        if news:
            yield _Place(holder, key, news), around, function
        yield from _walk_node(child, around, function)


def _list_children(node: ast.AST) -> list[tuple[Any, Any, ast.AST]]:
    children: list[tuple[Any, Any, ast.AST]] = []
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "type_params", "format_spec"):
            continue
        if isinstance(value, list):
            children += [(value, at, item) for at, item in enumerate(value)]
        else:
            children.append((node, name, value))
    return [each for each in children if isinstance(each[2], ast.AST)]


def _is_left_out(parent: ast.AST, node: ast.AST) -> bool:
    if isinstance(node, (ast.Import, ast.ImportFrom, ast.Assert)):
        return True
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True  # docstrings and ellipses
    if isinstance(node, ast.If) and _is_named(node.test, "TYPE_CHECKING"):
        return True
    if isinstance(node, ast.keyword) and node.arg == "strict":
        return True
    if isinstance(node, ast.Compare) and _is_named(node.left, "__name__"):
        return True
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id in _CALLS_LEFT_OUT
    if isinstance(node, _Function) and any(_is_named(d, "overload") for d in node.decorator_list):
        return True
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        name = target.id if isinstance(target, ast.Name) else ""
        is_alias = isinstance(parent, ast.Module) and _TYPE_ALIAS.fullmatch(name) is not None
        return is_alias or name in _NAMES_LEFT_OUT
    return False


def _is_named(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


# --- changes -------------------------------------------------------------------------------------


def _list_news(parent: ast.AST, key: Any, node: ast.AST) -> Iterator[ast.AST]:
    """Yield what can stand in the place of a node."""
    if type(node) in _SWAPS:
        yield _SWAPS[type(node)]()
    elif isinstance(node, ast.Constant):
        yield from map(ast.Constant, _list_other_values(node.value))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand
    elif isinstance(node, ast.ExceptHandler):
        yield ast.ExceptHandler(node.type, node.name, [ast.Raise()])
    elif isinstance(node, ast.stmt):
        yield from _list_other_statements(node)
    if isinstance(parent, ast.Slice):
        yield ast.Constant(None)
    if key == "test" or (isinstance(parent, ast.comprehension) and node in parent.ifs):
        yield from _list_negations(node)


def _list_other_values(value: object) -> list[Any]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value - 1]
    if isinstance(value, float):
        return [value + 1]
    if isinstance(value, str):
        return ["XX"]
    if isinstance(value, bytes):
        return [b"XX" + value]
    return []


def _list_negations(test: ast.AST) -> Iterator[ast.AST]:
    is_negation = isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)
    is_swapped = (
        isinstance(test, ast.Compare)
        and len(test.ops) == 1
        and isinstance(test.ops[0], _NEGATED_BY_SWAP)
    )
    if not is_negation and not is_swapped and isinstance(test, ast.expr):
        yield ast.UnaryOp(ast.Not(), test)


def _list_other_statements(node: ast.stmt) -> Iterator[ast.stmt]:
    if (
        isinstance(node, (ast.Raise, ast.Delete))
        or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call))
        or isinstance(node, (ast.Assign, ast.AugAssign))
    ):
        yield ast.Pass()
    elif isinstance(node, ast.Break):
        yield ast.Continue()
    elif isinstance(node, ast.Continue):
        yield ast.Break()
    elif isinstance(node, ast.Return) and not (
        node.value is None or (isinstance(node.value, ast.Constant) and node.value.value is None)
    ):
        yield ast.Return(ast.Constant(None))
