"""Names of base models, recipes and experiments, and patterns that stand for experiments.

Belongs here: the form of a name, and finding experiments by names and patterns. Does not: the names
that a recipe expands into (models.experiments.expansion).
"""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Annotated

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.models.experiments.near_names import hint
from bioinstruct_dagster.yaml_files import text_of_form

MOST_CHARACTERS = 100
# A name that becomes a part of a partition key and of a folder's name. The folder's name holds two
# of them, and file systems allow 255 bytes. All characters are legal in the folders of Linux, macOS
# and Windows. Dagster splits a partition key at | and refuses three dots in a row.
ExperimentId = Annotated[
    str,
    text_of_form(
        r"(?!.*\.\.\.)[A-Za-z0-9](?:[A-Za-z0-9._+-]{0,98}[A-Za-z0-9_+-])?",
        f"must be at most {MOST_CHARACTERS} letters, digits and any of . _ - +, no space or |; it "
        "must begin with a letter or digit, and neither end with a dot nor hold three dots in a "
        "row",
    ),
]
Experiment = tuple[str, str]  # base model, recipe
# What messages call the experiment file where its path is not known.
UNNAMED_FILE = "the experiment file (BIOINSTRUCT_EXPERIMENTS)"


class UnknownExperimentError(StatedError):
    """A name or pattern stands for no experiment of the experiment file."""


def partition_key(experiment: Experiment) -> str:
    """The name of an experiment, such as `rehearsal-llama|all`."""
    return "|".join(experiment)


def experiment_columns(experiment: Experiment) -> dict[str, str]:
    """An experiment as the columns by which tables of the store name it."""
    base_model, recipe = experiment
    return {"base_model": base_model, "recipe": recipe}


def experiments_named(
    patterns: Sequence[str],
    experiments: Iterable[Experiment],
    unwritten: Sequence[str] = (),
    file: str = UNNAMED_FILE,
) -> list[Experiment]:
    """The experiments that the patterns stand for, each once, in the order of the experiments.

    Args:
        patterns: names of experiments, or patterns with `*`, `?` and `[...]` as in file names.
            Capital and small letters differ. An example is `llama-2-*|all-*`.
        experiments: all experiments.
        unwritten: what the names of recipes leave out, such as the part for seed 1.
        file: what messages call the experiment file.

    Raises:
        UnknownExperimentError: there is no pattern, or one of them stands for no experiment. The
            message names every such pattern.
    """
    if isinstance(patterns, str):
        patterns = [patterns]
    named = [(partition_key(experiment), experiment) for experiment in experiments]
    faults = [
        f"{pattern!r} stands for no experiment of {file}"
        f"{hint(pattern, [key for key, _ in named], unwritten)}"
        for pattern in patterns
        if not any(fnmatchcase(key, pattern) for key, _ in named)
    ]
    if not patterns:
        faults = ["No experiment is named; name at least one, such as 'rehearsal-llama|all'."]
    if faults:
        raise UnknownExperimentError("\n".join(faults))
    return [one for key, one in named if any(fnmatchcase(key, pattern) for pattern in patterns)]
