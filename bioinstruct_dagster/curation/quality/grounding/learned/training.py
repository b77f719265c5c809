"""Learns the weights of signs from the labelled rows: a logistic regression.

Belongs here: the fit, the test on the rows of writers whom it didn't learn from, and writing
`data/grounding_weights.json`. Does not: the examples (examples), the signs (signs), or the use of
the weights (judge).
"""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from bioinstruct_dagster.curation.quality.grounding.learned.examples import GroundingExample
from bioinstruct_dagster.curation.quality.grounding.learned.signs import (
    asked_signs,
    told_signs,
)
from bioinstruct_dagster.curation.quality.grounding_weights import (
    SCALE,
    LearnedWeights,
    Signs,
    asked_factor,
)
from bioinstruct_dagster.curation.versions import code_sha256
from bioinstruct_dagster.store.fingerprints import sha256_of

LEAST_EXAMPLES = 2  # that have a sign; a sign of one example says nothing about other rows
REGULARIZATION = 1.0  # inverse strength; 0.6, 1 and 2 differ by less than a point
LEAST_WEIGHT = 10  # of a sign that is kept, of `SCALE`
_SIGNS = "curation.quality.grounding.learned.signs"

_Name = tuple[bool, str, str]  # whether the output tells it, kind, value


def made_of(examples: Sequence[GroundingExample]) -> str:
    """The hash of what determines the weights: the examples, the signs and the fit."""
    code = [
        code_sha256(f"{_SIGNS}.asked_signs", f"{_SIGNS}.told_signs"),
        LEAST_EXAMPLES,
        REGULARIZATION,
        LEAST_WEIGHT,
        SCALE,
    ]
    return sha256_of([code, [list(one) for one in examples]])


def learn(examples: Sequence[GroundingExample]) -> LearnedWeights:
    """The weights by which the examples are told apart."""
    import numpy as np
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    rows = [_values(one) for one in examples]
    counts = Counter(name for row in rows for name in row)
    names = sorted(name for name, count in counts.items() if count >= LEAST_EXAMPLES)
    columns = {name: column for column, name in enumerate(names)}
    entries = [
        (place, columns[name], value)
        for place, row in enumerate(rows)
        for name, value in row.items()
        if name in columns
    ]
    places, held, values = zip(*entries, strict=True)
    matrix = csr_matrix((values, (places, held)), shape=(len(rows), len(names)))
    labels = np.array([one.want == "drop" for one in examples])
    model = LogisticRegression(C=REGULARIZATION, solver="liblinear", random_state=0)
    with threadpool_limits(1):
        model.fit(matrix, labels)
    weights = [round(float(weight) * SCALE) for weight in model.coef_[0]]
    asked: dict[str, dict[str, int]] = {}
    told: dict[str, dict[str, int]] = {}
    for (is_told, kind, value), weight in zip(names, weights, strict=True):
        if abs(weight) >= LEAST_WEIGHT or kind == "task word":
            (told if is_told else asked).setdefault(kind, {})[value] = weight
    bias = round(float(model.intercept_[0]) * SCALE)
    return LearnedWeights(bias, asked, told, made_of(examples))


def _values(example: GroundingExample) -> dict[_Name, float]:
    """The value of each sign of an example."""
    text = example.input.strip()
    asked = asked_signs(example.instruction, text)
    told: Signs = []
    if example.output:
        told = told_signs(example.output, text, example.instruction, asked)
    factor = asked_factor(asked.signs)
    found = {(False, kind, value): factor for kind, values in asked.signs for value in values}
    return found | {(True, kind, value): 1.0 for kind, values in told for value in values}


def write(weights: LearnedWeights, path: Path) -> None:
    """Write a file of weights, one kind of sign a line."""
    lines = [f'"bias": {weights.bias}', f'"made_of": {json.dumps(weights.made_of)}']
    for name, kinds in (("asked", weights.asked), ("told", weights.told)):
        held = ",\n".join(
            f"{json.dumps(kind)}: {json.dumps(values, ensure_ascii=False)}"
            for kind, values in kinds.items()
        )
        lines.append(f'"{name}": {{\n{held}}}')
    path.write_text("{" + ",\n".join(lines) + "}\n", "utf-8")
