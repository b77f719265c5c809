"""Reads a module's source as definitions, each with its syntax and the names that it refers to.

The syntax is written as a text. It leaves out comments, formatting, docstrings, annotations of
functions, and the parts of a syntax tree that only some versions of Python have. Names are resolved
as Python does: a name that a function binds is local, any other name is a definition or an import
of the module. Belongs here: reading one module. Does not: which references are followed, or
versions (curation.versions).
"""

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from bioinstruct_dagster.curation.word_lists import WORDS_FOLDER
from bioinstruct_dagster.errors import StatedError

PACKAGE_FOLDER = Path(__file__).parents[1]
WORD_LIST_MODULE = "curation.word_lists"  # the module that reads word lists
WHOLE_MODULE = "*"  # stands for all definitions of a module
IMPORT_EFFECTS = ""  # stands for what a module executes on import besides its definitions

_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_PARSING_TRIES = 5
# Fields of a node that do not change what the code computes.
_SKIPPED_FIELDS = frozenset({"ctx", "kind", "returns", "type_comment", "type_ignores"})


class SourceCodeError(StatedError):
    """Code that a version is computed from does not exist, or can't be followed."""


def _parsed(path: Path) -> ast.Module:
    """The syntax of a module.

    Python 3.11 counts the depth of all threads' parsing in one place, so another thread can make it
    fail (github.com/python/cpython/issues/106905). Such a failure says nothing of the module.
    """
    for _ in range(_PARSING_TRIES - 1):
        with suppress(SystemError):
            return ast.parse(path.read_text("utf-8"))
    return ast.parse(path.read_text("utf-8"))


class Reference(NamedTuple):
    """A name in a module of this package; `module` leaves out the package's name."""

    module: str
    name: str


class Definition(NamedTuple):
    """One definition of a module.

    Attributes:
        text: its syntax.
        references: the names of this package that it refers to.
        libraries: the top-level names of the libraries that it calls.
        words: the files of word lists that it names.
    """

    text: str
    references: frozenset[Reference] = frozenset()
    libraries: frozenset[str] = frozenset()
    words: frozenset[Path] = frozenset()


class _Library(NamedTuple):
    name: str


# What each name stands for: an import, or None for a variable of a function.
_Scope = Mapping[str, Reference | _Library | None]


class ModuleSource:
    """The definitions of one module.

    Args:
        package: the folder of the package.
        name: the module's name, without the package.
    """

    def __init__(self, package: Path, name: str) -> None:
        self._package, self._name = package, name
        self._defined: dict[str, list[ast.stmt]] = {}
        self._effects: list[ast.stmt] = []
        self._imported: dict[str, Reference | _Library | None] = {}
        path = _path_of(package, name)
        if path is None:
            raise SourceCodeError(f"{package}: there is no module {name}.")
        for statement in _parsed(path).body:
            self._sort(statement)

    def definition(self, name: str) -> Definition:
        """The definition of a name, or of `WHOLE_MODULE` or `IMPORT_EFFECTS`.

        Raises:
            SourceCodeError: the module does not define the name.
        """
        if name == IMPORT_EFFECTS:
            return self._read(self._effects)
        if name == WHOLE_MODULE:
            return Definition("", frozenset(self._own(one) for one in self._defined))
        target = self._imported.get(name)
        if name in self._defined:
            read = self._read(self._defined[name])
            # An import in a `try`, beside the definition that stands in for it.
            imported = {target} if isinstance(target, Reference) else set()
            references = read.references | {self._own(IMPORT_EFFECTS)} | imported
            return read._replace(references=references)
        if isinstance(target, Reference):
            return Definition("", references=frozenset({target}))
        if isinstance(target, _Library):
            return Definition("", libraries=frozenset({target.name}))
        raise SourceCodeError(f"{self._package}: module {self._name} defines no {name}.")

    def resolve(self, name: str) -> Reference | _Library | None:
        """The target of a name at the module's top level; None for a built-in name."""
        return self._own(name) if name in self._defined else self._imported.get(name)

    def imports_of(self, statement: ast.AST) -> dict[str, Reference | _Library | None]:
        """The targets of the names that a statement imports; empty for other statements.

        Raises:
            SourceCodeError: the import can't be followed.
        """
        self._refuse_import(statement)
        if isinstance(statement, ast.Import):
            return {
                (alias.asname or alias.name.split(".")[0]): _Library(alias.name.split(".")[0])
                for alias in statement.names
            }
        if not isinstance(statement, ast.ImportFrom):
            return {}
        root, _, module = (statement.module or "").partition(".")
        if statement.level or root != PACKAGE_FOLDER.name:
            return {alias.asname or alias.name: _Library(root) for alias in statement.names}
        return {
            alias.asname or alias.name: self._target(module, alias.name)
            for alias in statement.names
        }

    def refuse(self, node: ast.AST, what: str) -> NoReturn:
        """Fail on code that can't be followed, instead of leaving it out of a version."""
        line = getattr(node, "lineno", 0)
        raise SourceCodeError(
            f"{self._name.replace('.', '/')}.py, line {line}: {what}, so the version of a gate "
            "would miss code. Name the function or the module where it is used."
        )

    def _refuse_import(self, statement: ast.AST) -> None:
        own = PACKAGE_FOLDER.name
        if isinstance(statement, ast.Import):
            if any(alias.name.split(".")[0] == own for alias in statement.names):
                self.refuse(statement, f"`import {own}` can't be followed (write `from`)")
        elif isinstance(statement, ast.ImportFrom):
            if statement.level:
                self.refuse(statement, "a relative import can't be followed")
            if statement.names[0].name == "*":
                self.refuse(statement, "`import *` can't be followed")

    def _target(self, module: str, name: str) -> Reference:
        inner = f"{module}.{name}" if module else name
        is_module = _path_of(self._package, inner) is not None
        return Reference(inner, WHOLE_MODULE) if is_module else Reference(module, name)

    def _own(self, name: str) -> Reference:
        return Reference(self._name, name)

    def _sort(self, statement: ast.stmt) -> None:
        if _is_docstring(statement) or _is_for_type_checkers(statement):
            return
        imports = self.imports_of(statement)
        self._imported |= imports
        if imports:
            return
        for inner in _own_nodes([statement]):  # an import inside a top-level `try` or `if`
            self._imported |= self.imports_of(inner)
        names = _bound_by([statement]) | _changed_by(statement)
        for name in names:
            self._defined.setdefault(name, []).append(statement)
        if not names:
            self._effects.append(statement)

    def _read(self, statements: Sequence[ast.stmt]) -> Definition:
        reader = _SyntaxReader(self)
        for statement in statements:
            reader.add(statement, {})
        return Definition(
            "".join(reader.text),
            frozenset(reader.references),
            frozenset(reader.libraries),
            frozenset(self._words(reader)),
        )

    def _words(self, reader: "_SyntaxReader") -> Iterator[Path]:
        """The files of word lists that the code names, in folders of the module's package.

        Code that calls the reader of word lists may name a file without its ending.
        """
        names = [text for text in reader.texts if text.endswith(".yaml")]
        if any(one.module == WORD_LIST_MODULE for one in reader.references):
            names += [f"{text}.yaml" for text in reader.texts if text.isidentifier()]
        parts = self._name.split(".")[:-1]
        for depth in range(len(parts), 0, -1):
            folder = self._package.joinpath(*parts[:depth], WORDS_FOLDER)
            yield from (folder / name for name in names if (folder / name).is_file())


@cache
def module_source(package: Path, name: str) -> ModuleSource:
    """The definitions of a module; each process reads a module once."""
    return ModuleSource(package, name)


class _SyntaxReader:
    """Collects the text and the references of statements in one walk through their syntax."""

    def __init__(self, module: ModuleSource) -> None:
        self._module = module
        self.text: list[str] = []
        self.references: set[Reference] = set()
        self.libraries: set[str] = set()
        self.texts: set[str] = set()  # string constants of the code

    def add(self, value: Any, scope: _Scope) -> None:
        """Add a node, a list of nodes, or the value of a field."""
        if isinstance(value, list):
            for item in value:
                if not _is_docstring(item) and not isinstance(item, ast.Pass):
                    self.add(item, scope)
                    self.text.append(",")
        elif isinstance(value, ast.AST):
            skipped = self._note_references(value, scope)
            self.text.append(f"{type(value).__name__}(")
            for name, part in ast.iter_fields(value):
                if name in skipped or part is None or part == []:
                    continue
                self.text.append(f"{name}=")
                self.add(part, self._scope_of(value, name, scope))
            self.text.append(")")
        else:
            self.text.append(repr(value))
            if isinstance(value, str):
                self.texts.add(value)

    def _note_references(self, node: ast.AST, scope: _Scope) -> frozenset[str]:
        """Note what a node refers to; return the fields that need no further reading."""
        if isinstance(node, ast.arg):
            return _SKIPPED_FIELDS | {"annotation"}
        self._refuse_lookup(node)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            target = self._target(node.value.id, scope)
            if isinstance(target, Reference) and target.name == WHOLE_MODULE:
                self.references.add(Reference(target.module, node.attr))
                self.text.append(f"{node.value.id}:")
                return _SKIPPED_FIELDS | {"value"}
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            target = self._target(node.id, scope)
            if isinstance(target, _Library):
                self.libraries.add(target.name)
            elif target is not None:
                self.references.add(target)
        return _SKIPPED_FIELDS

    def _refuse_lookup(self, node: ast.AST) -> None:
        """Refuse code that finds other code by its name at run time."""
        if isinstance(node, ast.Name) and node.id == "globals":
            self._module.refuse(node, "`globals()` finds code by its name")
        if isinstance(node, ast.Attribute) and node.attr == "__subclasses__":
            self._module.refuse(node, "`__subclasses__` finds classes by their base")
        if isinstance(node, ast.FunctionDef):
            for decorator in node.decorator_list:
                called = decorator.func if isinstance(decorator, ast.Call) else decorator
                if isinstance(called, ast.Attribute) and called.attr == "register":
                    self._module.refuse(decorator, "a registered function is found elsewhere")

    def _target(self, name: str, scope: _Scope) -> Reference | _Library | None:
        return scope[name] if name in scope else self._module.resolve(name)

    def _scope_of(self, node: ast.AST, part: str, scope: _Scope) -> _Scope:
        """The scope in which a part of a node is evaluated."""
        if isinstance(node, _Function) and part == "body":
            body = node.body if isinstance(node.body, list) else []
            own = dict.fromkeys(_parameters(node.args) | _bound_by(body))
            imports = (self._module.imports_of(one) for one in _own_nodes(body))
            return {**scope, **own, **{name: t for one in imports for name, t in one.items()}}
        if isinstance(node, _Comprehension) and part != "generators":
            targets = set().union(*(_bound_by([one.target]) for one in node.generators))
            return {**scope, **dict.fromkeys(targets)}
        return scope


def _own_nodes(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """These nodes and all nodes within them, except those within another scope."""
    for node in nodes:
        yield node
        if not isinstance(node, (*_SCOPES, *_COMPREHENSIONS)):
            yield from _own_nodes(ast.iter_child_nodes(node))


def _bound_by(nodes: Iterable[ast.AST]) -> set[str]:
    """Names that code binds in its own scope. A missed name makes a version cover more."""
    bound: set[str] = set()
    elsewhere: set[str] = set()
    for node in _own_nodes(nodes):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                bound.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                bound.add(name)
            case ast.ClassDef(name=name) | ast.ExceptHandler(name=str(name)):
                bound.add(name)
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                elsewhere |= set(names)
    return bound - elsewhere


def _changed_by(statement: ast.stmt) -> set[str]:
    """Names whose values a statement changes in place, as in `TABLE[key] = value`."""
    return {
        inner.id
        for node in _own_nodes([statement])
        if isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store)
        for inner in ast.walk(node.value)
        if isinstance(inner, ast.Name)
    }


def _parameters(arguments: ast.arguments) -> set[str]:
    return {node.arg for node in ast.walk(arguments) if isinstance(node, ast.arg)}


def _is_docstring(node: Any) -> bool:
    """Whether a statement is a docstring: a string constant alone."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _is_for_type_checkers(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.If)
        and isinstance(statement.test, ast.Name)
        and statement.test.id == "TYPE_CHECKING"
    )


def _path_of(package: Path, name: str) -> Path | None:
    stem = package.joinpath(*name.split("."))
    return next((p for p in (stem.with_suffix(".py"), stem / "__init__.py") if p.is_file()), None)
