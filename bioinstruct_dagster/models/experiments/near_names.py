"""What to write instead of a name that stands for no experiment.

A suggestion is followed without a second look. So a name is only suggested if it means the same:
never one of another size or seed.

Belongs here: the hint of a message. Does not: which experiments a pattern stands for
(models.experiments.names).
"""

import difflib
import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from itertools import combinations

_LEAST_SIMILARITY = 0.8  # one or two wrong letters in a name; difflib's usual 0.6 is another name
_LEAST_PART_SIMILARITY = 0.7  # of base model and of recipe, which may be as short as `all`
_MOST_NAMES = 6  # in a message
_SIZE_OR_SEED = re.compile(r"(?<=-)[a-z]?[0-9]+k?(?![a-z0-9])")


def hint(pattern: str, keys: Sequence[str], unwritten: Sequence[str]) -> str:
    """What follows the statement that a pattern stands for no experiment.

    Args:
        pattern: the pattern.
        keys: the names of all experiments, such as `rehearsal-llama|all`.
        unwritten: what names of recipes leave out, such as the part for seed 1.
    """
    meant = _matching(_respelt(pattern), keys)
    if meant is None and pattern.count("|") == 1:
        return _hint_of_parts(pattern, keys, unwritten)
    if meant:
        return f"; did you mean {meant!r}?"
    if "|" in pattern:
        return ": a name holds one |; write each experiment as an entry of its own."
    if not pattern.strip():
        return f": write base model and recipe, such as {next(iter(keys), '')!r}."
    # A base model is not offered in a recipe's place, nor the other way round.
    both = [f"{pattern}|*", f"*|{pattern}"]
    fitting = [one for one in both if _matching(iter([one]), keys)] or both
    return f": write base model and recipe, such as {' or '.join(map(repr, fitting))}."


def _hint_of_parts(pattern: str, keys: Sequence[str], unwritten: Sequence[str]) -> str:
    """The hint for a pattern of a base model and a recipe."""
    base, recipe = pattern.split("|")
    if meant := _matching((f"{base}|{one}" for one in _shorter(recipe, unwritten)), keys):
        return (
            ": all rows, the default set of hyper-parameters and seed 1 have no part in a name; "
            f"write {meant!r}."
        )
    folded = {key.casefold(): key for key in reversed(keys) if _numbers(key) == _numbers(pattern)}
    near = difflib.get_close_matches(pattern.casefold(), folded, n=5, cutoff=_LEAST_SIMILARITY)
    for one in near:
        if _parts_are_near(pattern, folded[one]):
            return f"; did you mean {folded[one]!r}?"
    return _known_parts(base, recipe, keys)


def _parts_are_near(pattern: str, key: str) -> bool:
    """Whether both base model and recipe are near: a long equal part must not hide another name."""
    pairs = zip(pattern.casefold().split("|"), key.casefold().split("|"), strict=True)
    return all(
        difflib.SequenceMatcher(None, one, other).ratio() >= _LEAST_PART_SIMILARITY
        for one, other in pairs
    )


def _matching(candidates: Iterator[str], keys: Sequence[str]) -> str | None:
    """The first candidate that stands for an experiment."""
    for one in candidates:
        if any(fnmatchcase(key, one) for key in keys):
            return one
    return None


def _respelt(pattern: str) -> Iterator[str]:
    """The same names in another spelling: without blanks, with |, the categories in order."""
    bare = re.sub(r"\s*\|\s*", "|", pattern.strip())
    yield bare
    if "|" not in bare:
        for sign in ("__", "/"):
            yield bare.replace(sign, "|", 1)
        return
    base, _, recipe = bare.rpartition("|")
    if "+" in recipe:
        *first, last = recipe.split("+")
        last, dash, suffix = last.partition("-")
        parts = [*first, last]
        for at in range(len(parts)):  # each in front, the others in either order
            others = [*parts[:at], *parts[at + 1 :]]
            for rest in (others, others[::-1]):
                yield f"{base}|{'+'.join([parts[at], *rest])}{dash}{suffix}"


def _shorter(recipe: str, unwritten: Sequence[str]) -> Iterator[str]:
    """The recipe without one part, two parts … that names leave out."""
    there = [one for one in unwritten if f"-{one}-" in f"{recipe}-"]
    for count in range(1, len(there) + 1):
        for some in combinations(there, count):
            name = f"{recipe}-"
            for one in some:
                head, found, tail = name.rpartition(f"-{one}-")
                name = f"{head}-{tail}" if found else name
            yield name.removesuffix("-")


def _numbers(key: str) -> tuple[list[str], list[str]]:
    """The digits of the base model's name, and the sizes and seeds in the recipe's."""
    base, _, recipe = key.casefold().partition("|")
    return re.findall("[0-9]", base), _SIZE_OR_SEED.findall(recipe)


def _known_parts(base: str, recipe: str, keys: Sequence[str]) -> str:
    """What there is, for a name whose base model or recipe is unknown and near no other."""
    bases = list(dict.fromkeys(key.split("|")[0] for key in keys))
    recipes = list(dict.fromkeys(key.split("|")[1] for key in keys))
    if not any(fnmatchcase(one, base) for one in bases):
        return f": there is no base model {base!r}, only {some(bases)}."
    stem = re.split(r"[-*?\[]", recipe)[0]
    kin = [one for one in recipes if one == stem or one.startswith(f"{stem}-")] if stem else []
    if kin:
        return f": there is no recipe {recipe!r}; of {stem!r} there are {some(kin)}."
    return f": there is no recipe {recipe!r}, only {some(recipes)}."


def some(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    rest = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {rest} more" if rest > 0 else "")
