"""The names that exist in the project, and the names that its texts mention.

Belongs here: collecting both. Does not: which mentions are allowed although nothing of that name
exists (test_references).
"""

import ast
import builtins
import importlib.util
import re
import tomllib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import yaml

PACKAGE = "bioinstruct_dagster"
_WITH_STATEMENTS = (ast.stmt, ast.ExceptHandler, ast.match_case)
CODE = (PACKAGE, "bioinstruct_dagster_tests", "benchmarks")
FILE_ENDINGS = "cfg|jsonl|json|lock|md|png|py|safetensors|sql|toml|txt|yaml|yml|duckdb"

NAME = re.compile(r"[A-Za-z_]\w*")
DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
CALL = re.compile(r"([A-Za-z_][\w.]*)\(.*\)", re.DOTALL)
PATH = re.compile(rf"[\w.-]+(?:/[\w.-]+)*/?|[\w./-]+\.(?:{FILE_ENDINGS})")
FILE = re.compile(rf"(?<![\w/.<>*-])[\w.-]+(?:/[\w.-]+)*\.(?:{FILE_ENDINGS})(?![\w*/-])")
SPAN = re.compile(r"(?<!`)`([^`\n]+(?:\n[^`\n]+)?)`(?!`)")
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
MAKE = re.compile(r"(?:^|[\s`;&])make ([a-z][a-z-]*)")
MODULE_RUN = re.compile(r"python -m ([a-z_]+(?:\.[a-z_]+)*)")
ENVIRONMENT = re.compile(r"\b(?:BIOINSTRUCT|OPENAI)_[A-Z_]*[A-Z]\b")
LINK = re.compile(r"!?\[[^\]\[]*\]\(([^()\s]+)\)")
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
SNAKE = re.compile(r"(?<![\w./`<-])_?[a-z][a-z0-9]*(?:_[a-z0-9]+)+(?![\w/`(-]|\.\w)")
CAMEL = re.compile(r"(?<![\w./`-])[A-Z][a-z0-9]+(?:[A-Z][a-z0-9]+)+(?![\w/`-])")
BELONGS = re.compile(r"Belongs\s+here:.*", re.DOTALL)
MODULES_IN_PARENTHESES = re.compile(r"\(([a-z_][\w.]+(?:(?:, |,? or |,? and )[a-z_][\w.]*)*)\)")
RAISES = re.compile(r"^( *)Raises:\n((?:\1 .*\n|\n)*)", re.MULTILINE)
RAISED = re.compile(r"^ +([A-Z]\w*(?:\.\w+)*):", re.MULTILINE)
TABLE = re.compile(r"create (?:table if not exists|or replace view) (\w+)")
COMMENT = re.compile(r"--.*")
CHOICE = re.compile(r"\w+(?= \|)|(?<=\| )\w+")


@dataclass(frozen=True, order=True)
class Mention:
    """A name in a text: where it stands, what it is taken for, and the name."""

    file: str
    line: int
    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.kind} {self.name!r}"


@dataclass(frozen=True)
class Project:
    """The names that exist below a root: files, modules, what modules define, settings, targets."""

    root: Path
    files: frozenset[str] = field(default_factory=frozenset)
    modules: frozenset[str] = field(default_factory=frozenset)
    defined: frozenset[str] = field(default_factory=frozenset)
    parameters: frozenset[str] = field(default_factory=frozenset)
    values: frozenset[str] = field(default_factory=frozenset)
    members: dict[str, frozenset[str]] = field(default_factory=dict)
    targets: frozenset[str] = field(default_factory=frozenset)

    def has_path(self, name: str, near: str = "") -> bool:
        """Whether a file or folder is named so: from the root, a package, or beside the text."""
        wanted = name.removeprefix("./").rstrip("/")
        if any(path == wanted or path.endswith(f"/{wanted}") for path in self.files):
            return True
        beside = (self.root / near).parent / wanted
        if near and beside.exists():
            return True
        # Outputs exist only after a run; the code that writes them names them.
        if wanted.startswith("data/"):
            return wanted.split("/")[1] in self.values
        return wanted in self.values

    def has_module(self, name: str, near: str = "") -> bool:
        """Whether a module is named so: whole, from the package, or from a package of `near`."""
        parents = near.split(".")[:-1] if near else []
        places = [".".join(parents[:depth]) for depth in range(len(parents), -1, -1)]
        candidates = {f"{place}.{name}".strip(".") for place in [*places, PACKAGE]}
        return bool(candidates & self.modules)

    def has_dotted(self, name: str, near: str = "") -> bool:
        """Whether it is a module, a member of a module, class or table, or another library's."""
        if self.has_module(name, near) or self.has_path(name, near.replace(".", "/")):
            return True
        owner, _, member = name.rpartition(".")
        short = owner.rpartition(".")[2]
        if short in self.members:
            # An owner with a path of its own must be that module; a bare one may be any.
            whole = "." not in owner or self.has_module(owner, near) or self.has_dotted(owner, near)
            return whole and member in self.members[short]
        root = name.partition(".")[0]
        return root not in CODE and root not in self.modules and is_library(root)

    def has_name(self, name: str, *, of_a_parameter: bool) -> bool:
        """Whether code defines the name, or a table, setting or value is called so.

        In a docstring it may be the name of a parameter. In a page it may not: almost every English
        word is the name of some parameter.
        """
        last_parts = {module.rpartition(".")[2] for module in self.modules}
        return (
            name in self.defined
            or name in self.values
            or name in last_parts
            or (of_a_parameter and name in self.parameters)
            or self.has_setting(name.rstrip("_").upper())  # a variable's name in lower case
            or hasattr(builtins, name)
            or is_library(name)
        )

    def has_setting(self, name: str) -> bool:
        """Whether an environment variable is read: by its own name, or as a settings field."""
        field_name = name.removeprefix("BIOINSTRUCT_").lower()
        return name in self.values or field_name in self.members["settings"]


@cache
def is_library(name: str) -> bool:
    """Whether another library of this name is installed."""
    try:
        return name not in CODE and importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def read_project(root: Path) -> Project:
    """Collect the names of the project below `root`."""
    folders = [*CODE, "docs", "data", "deploy", ".ci", ".github", ".dagster_home"]
    every = (path for folder in folders for path in (root / folder).rglob("*"))
    paths = [path for path in every if ".peers" not in path.parts]  # other software of benchmarks
    files = {p.relative_to(root).as_posix() for p in [*paths, *root.glob("*")]}
    modules, defined, parameters, values = set(), set(), set(), set()
    members: dict[str, set[str]] = {"settings": set()}
    for path in (p for p in paths if p.suffix == ".py" and p.relative_to(root).parts[0] in CODE):
        tree = ast.parse(path.read_text("utf-8"))
        module = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
        modules.add(module)
        if module.startswith("bioinstruct_dagster_tests"):
            continue  # tests invent names of their own
        _collect(tree, defined, parameters, values)
        short = module.rpartition(".")[2]
        of_module = _members(tree)
        members.setdefault(short, set()).update(of_module)
        defined |= of_module
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                of_class = _members(node)
                members.setdefault(node.name, set()).update(of_class)
                defined |= of_class
                if module.startswith(f"{PACKAGE}.settings"):
                    members["settings"].update(of_class)
    modules |= {module.rpartition(".")[0] for module in modules} - {""}
    declaration = sorted((root / PACKAGE / "store").glob("*.sql"))
    schema = "\n".join(path.read_text("utf-8") for path in declaration)
    for table in re.split(r"(?=^create )", schema, flags=re.MULTILINE):
        found = TABLE.match(table)
        if found:
            members.setdefault(found[1], set()).update(NAME.findall(COMMENT.sub("", table)))
    values |= set(NAME.findall(COMMENT.sub("", schema)))
    values |= {word for comment in COMMENT.findall(schema) for word in CHOICE.findall(comment)}
    for path in (root / "data").glob("*.yaml"):
        values |= set(_values_of(yaml.safe_load(path.read_text("utf-8"))))
    for path in (root / "data" / "evaluation_tasks").glob("*.yaml"):
        # The file's name is that of the task. A path to a field holds names of fields.
        texts = _values_of(yaml.safe_load(path.read_text("utf-8")))
        values |= {path.stem, *(name for text in texts for name in NAME.findall(text))}
    distribution = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    values |= {*distribution["optional-dependencies"], *distribution["scripts"]}
    makefile = (root / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    return Project(
        root,
        frozenset(files),
        frozenset(modules),
        frozenset(defined),
        frozenset(parameters),
        frozenset(values),
        {name: frozenset(found) for name, found in members.items()},
        frozenset(targets),
    )


def _collect(tree: ast.AST, defined: set[str], parameters: set[str], values: set[str]) -> None:
    docstrings = {id(node) for node in _docstring_nodes(tree)}
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                defined.add(node.name)
                # What `@dg.asset(...)` and its like are given is what Dagster is told.
                calls = (each for each in node.decorator_list if isinstance(each, ast.Call))
                defined.update(str(k.arg) for call in calls for k in call.keywords)
            case ast.arg():
                parameters.add(node.arg)
            case ast.Attribute(value=ast.Name(id="self"), ctx=ast.Store()):
                defined.add(node.attr)
            case ast.keyword(arg=str(name)):
                parameters.add(name)
            case ast.alias():
                defined.update(NAME.findall(node.asname or node.name))
            case ast.Constant(value=str(text)) if id(node) not in docstrings and len(text) < 80:
                values.add(text)
            case ast.Constant(value=str(text)) if id(node) not in docstrings:
                # A statement or a prompt: the names in it, not its prose.
                values.update(word for word in NAME.findall(text) if "_" in word)
            case _:
                pass


def _members(tree: ast.Module | ast.ClassDef) -> set[str]:
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            stored = (n for n in ast.walk(node) if isinstance(n, ast.Name))
            names |= {n.id for n in stored if isinstance(n.ctx, ast.Store)}
        elif isinstance(node, ast.If | ast.Import | ast.ImportFrom):
            aliases = (n for n in ast.walk(node) if isinstance(n, ast.alias))
            names |= {alias.asname or alias.name for alias in aliases}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            names |= {node.attr} if node.value.id == "self" else set()
    return names


def _values_of(content: object) -> Iterator[str]:
    if isinstance(content, dict):
        for key, value in content.items():
            yield str(key)
            yield from _values_of(value)
    elif isinstance(content, list):
        for value in content:
            yield from _values_of(value)
    elif isinstance(content, str):
        yield content


def _docstring_nodes(tree: ast.AST) -> Iterator[ast.Constant]:
    waiting = deque([tree])
    while waiting:
        node = waiting.popleft()
        # Only statements hold definitions; expressions are most of a tree.
        children = ast.iter_child_nodes(node)
        waiting.extend(c for c in children if isinstance(c, _WITH_STATEMENTS))
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            match node.body[:1]:
                case [ast.Expr(value=ast.Constant(value=str()) as constant)]:
                    yield constant


def mentions_in_page(text: str, file: str) -> Iterator[Mention]:
    """Names in a Markdown page: in code spans, commands, fenced blocks and links."""
    prose = FENCE.sub(lambda block: re.sub(r"[^\n]", " ", block[0]), text)
    for found in SPAN.finditer(prose):
        yield from _in_span(found[1], file, _line(text, found.start()))
    for pattern, kind in ((MAKE, "make target"), (MODULE_RUN, "module"), (ENVIRONMENT, "setting")):
        for found in pattern.finditer(text):
            if kind != "make target" or _is_command(text, prose, found.start()):
                name = found[1] if pattern.groups else found[0]
                yield Mention(file, _line(text, found.start()), kind, name)
    for found in FILE.finditer(LINK.sub(lambda link: " " * len(link[0]), text)):
        yield Mention(file, _line(text, found.start()), "file", found[0])
    for found in LINK.finditer(prose):
        if not re.match(r"[a-z]+:", found[1]):
            yield Mention(file, _line(text, found.start()), "link", found[1])


def _is_command(text: str, prose: str, start: int) -> bool:
    # In prose "make" is a verb, unless it opens a code span; in a fenced block it is the command.
    return text[start] == "`" or prose[start + 1 : start + 5].strip() == ""


def mentions_in_docstrings(text: str, file: str) -> Iterator[Mention]:
    """Names in the docstrings of a module: as in a page, and modules and names without marks."""
    tree = ast.parse(text)
    opening = next(_docstring_nodes(tree), None)
    for node in _docstring_nodes(tree):
        docstring = str(node.value)
        found = [*_marked(docstring), *_unmarked(docstring), *_raised(docstring)]
        if node is opening and tree.body[0].lineno == node.lineno:
            found += _belongs(docstring)
        for position, kind, name in found:
            yield Mention(file, node.lineno + docstring.count("\n", 0, position), kind, name)


def _marked(docstring: str) -> Iterator[tuple[int, str, str]]:
    for span in SPAN.finditer(docstring):
        for mention in _in_span(span[1], "", 0):
            yield span.start(), mention.kind, mention.name
    for target in MAKE.finditer(docstring):
        if docstring[target.start()] == "`":
            yield target.start(), "make target", target[1]


def _unmarked(docstring: str) -> Iterator[tuple[int, str, str]]:
    bare = _without_spans(docstring)
    for pattern, kind in ((FILE, "file"), (SNAKE, "name"), (CAMEL, "name")):
        for found in pattern.finditer(bare):
            yield found.start(), kind, found[0]
    for found in ENVIRONMENT.finditer(docstring):
        yield found.start(), "setting", found[0]
    for found in MODULE_RUN.finditer(docstring):
        yield found.start(), "module", found[1]


def _raised(docstring: str) -> Iterator[tuple[int, str, str]]:
    for section in RAISES.finditer(docstring + "\n"):
        for found in RAISED.finditer(section[2]):
            kind = "dotted name" if "." in found[1] else "name"
            yield section.start(2) + found.start(), kind, found[1]


def _belongs(docstring: str) -> Iterator[tuple[int, str, str]]:
    """The modules in parentheses after "Belongs here", where a module says what others hold."""
    bare = _without_spans(docstring)
    start = BELONGS.search(bare)
    if start:
        # Lines are joined by as many characters, so that positions stay.
        for found in MODULES_IN_PARENTHESES.finditer(bare.replace("\n", " "), start.start()):
            for name in re.split(r",? or |,? and |, ", found[1]):
                yield found.start(), "module", name


def _without_spans(docstring: str) -> str:
    return SPAN.sub(lambda span: re.sub(r"[^\n]", "`", span[0]), docstring)


def _in_span(span: str, file: str, line: int) -> Iterator[Mention]:
    """What a code span names: one name or path, or the names in a statement."""
    text = " ".join(span.split())
    call = CALL.fullmatch(text)
    if call:
        text = call[1]
    if NAME.fullmatch(text):
        if not ENVIRONMENT.fullmatch(text):  # told on its own
            yield Mention(file, line, "name", text)
    elif DOTTED.fullmatch(text) and not FILE.fullmatch(text):
        yield Mention(file, line, "dotted name", text)
    elif "/" in text and PATH.fullmatch(text) and not FILE.fullmatch(text):
        yield Mention(file, line, "path", text)
    elif re.fullmatch(r"\w+(, \w+)+", text):
        for name in text.split(", "):
            yield Mention(file, line, "name", name)
    else:
        for found in re.finditer(r"\b(?:from|join) ([a-z_]+)\b", text):
            yield Mention(file, line, "name", found[1])
        for found in re.finditer(r"\bkey:(\w+)", text):
            yield Mention(file, line, "name", found[1])


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def anchors_of(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    prose = FENCE.sub("", text)
    return {
        re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower()).replace(" ", "-")
        for heading in HEADING.findall(prose)
    }
