"""The log-likelihoods of options: every subject over its requests, pass by pass.

What subjects have in common is done once: the passes and their tensors. Within a pass, what
requests have in common is computed once. A log-likelihood does not depend on the other requests of
a pass beyond rounding.

Belongs here: the order of work. Does not: filling passes (evaluation.engine.prefix_tree,
evaluation.engine.padded_rows), or computing one (evaluation.engine.tree_passes).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from bioinstruct_dagster.evaluation.engine.padded_rows import (
    batches_of,
    log_likelihoods_of_rows,
)
from bioinstruct_dagster.evaluation.engine.prefix_tree import passes_of
from bioinstruct_dagster.evaluation.engine.requests import BASE, OptionRequest, OptionResult
from bioinstruct_dagster.evaluation.engine.self_test import Way, way_of
from bioinstruct_dagster.evaluation.engine.tree_passes import (
    Sums,
    TreeTensors,
    log_likelihoods_of,
)
from bioinstruct_dagster.models.base_models import LoadedBaseModel

# Tokens of a pass. On a CPU, a pass should fit into the processor's caches; a GPU has to be filled.
TOKENS_PER_PASS = {"cpu": 2_048, "cuda": 16_384}
# Logits of a pass: 512 MB with their log-probabilities. Most passes need much less.
_MOST_LOGITS = 1 << 26

Content = tuple[tuple[int, ...], tuple[tuple[int, ...], ...]]

_known: "WeakKeyDictionary[Any, tuple[int, Way]]" = WeakKeyDictionary()


class ChoosesSubjects(Protocol):
    """What computes a pass by one subject: evaluation.engine.subjects.Subjects."""

    def alone(self, subject: str) -> AbstractContextManager[Any]: ...  # noqa: D102


def log_likelihoods(
    subjects: ChoosesSubjects,
    base: LoadedBaseModel,
    work: Mapping[str, Sequence[OptionRequest]],
    *,
    tokens_per_pass: int,
    tell: Callable[[int], None],
    log: Callable[[str], None] = lambda _: None,
) -> Iterator[tuple[str, OptionResult]]:
    """The log-likelihoods of all requests of all subjects, as they come.

    Equal requests of a subject are computed once. Subjects with the same requests share all work
    that does not depend on the weights.

    Args:
        subjects: the base model and its adapters.
        base: the base model.
        work: the requests of each subject.
        tokens_per_pass: how many tokens the model computes at once, such as TOKENS_PER_PASS.
        tell: gets the number of results that were just computed.
        log: takes one line: why the requests are computed in a slower way, if they are.

    Yields:
        Each result with its subject, in an order that depends on the requests alone.
    """
    groups = _groups(work)
    if not groups:
        return
    every = [request for requests, _ in groups for request in requests]
    with subjects.alone(BASE):
        way = _way(base, every, log)
    for requests, keys in groups:
        plan = _Plan(subjects, base, way, log)
        for subject, contents, sums in plan.computed(requests, tuple(keys), tokens_per_pass):
            results = [
                (subject, OptionResult(key, values))
                for content, values in zip(contents, sums, strict=True)
                for key in keys[subject][content]
            ]
            tell(len(results))
            yield from results


@dataclass
class _Plan:
    """How requests are computed, and by what."""

    subjects: ChoosesSubjects
    base: LoadedBaseModel
    way: Way
    log: Callable[[str], None]
    was_full: bool = False

    def computed(
        self, requests: Sequence[OptionRequest], named: Sequence[str], tokens: int
    ) -> Iterator[tuple[str, list[Content], Sums]]:
        """Each subject with the contents of each pass and their log-likelihoods.

        Raises:
            torch.OutOfMemoryError: memory does not suffice for one request alone.
        """
        import torch

        for of_pass, compute in self._passes(requests, tokens):
            for place, subject in enumerate(named):
                sums = None
                try:
                    with self.subjects.alone(subject) as model:
                        sums = compute(model)
                except torch.OutOfMemoryError:
                    if len(of_pass) == 1:
                        raise
                if sums is None:
                    # Outside of `except`, because the error holds the tensors of the pass.
                    if not self.was_full:
                        self.log("the GPU's memory does not suffice: passes are halved")
                    self.was_full = True
                    yield from self.computed(of_pass, named[place:], tokens // 2)
                    break
                yield subject, list(map(_content, of_pass)), sums

    def _passes(
        self, requests: Sequence[OptionRequest], tokens: int
    ) -> Iterator[tuple[Sequence[OptionRequest], Callable[[Any], Sums]]]:
        """The requests of each pass, and what computes them with a model."""
        base = self.base
        most = _MOST_LOGITS // base.model.get_input_embeddings().weight.shape[0]
        if self.way.name == "tree":
            dtype = next(base.model.parameters()).dtype
            for one in passes_of(requests, tokens=tokens, predicting=most):
                tensors = TreeTensors.of(one, base.device, dtype)
                yield one.requests, partial(log_likelihoods_of, tensors=tensors)
            return
        alone = self.way.name == "rows"
        rows = 1 if alone else None
        pad = base.tokenizer.pad_token_id or 0
        for batch in batches_of(requests, tokens=tokens, predicting=most, rows=rows):
            yield (
                batch.requests,
                partial(
                    log_likelihoods_of_rows, batch=batch, device=base.device, pad=pad, alone=alone
                ),
            )


def _groups(
    work: Mapping[str, Sequence[OptionRequest]],
) -> list[tuple[list[OptionRequest], dict[str, dict[Content, list[str]]]]]:
    """Subjects with the same requests together.

    Returns:
        For each group its requests, each content once, and for each of its subjects the keys of the
        results of each content.
    """
    groups: dict[
        frozenset[Content], tuple[list[OptionRequest], dict[str, dict[Content, list[str]]]]
    ] = {}
    for subject, requests in work.items():
        keys: dict[Content, list[str]] = {}
        first: list[OptionRequest] = []
        for request in requests:
            content = _content(request)
            if content not in keys:
                keys[content] = []
                first.append(request)
            keys[content].append(request.key)
        if first:
            groups.setdefault(frozenset(keys), (first, {}))[1][subject] = keys
    return list(groups.values())


def _content(request: OptionRequest) -> Content:
    return request.prompt_ids, request.option_ids


def _way(
    base: LoadedBaseModel, requests: Sequence[OptionRequest], log: Callable[[str], None]
) -> Way:
    """How this model computes these requests. It is found out once for requests of a length."""
    longest = max(len(request.prompt_ids) for request in requests)
    tested, way = _known.get(base.model, (-1, Way("tree")))
    if longest > tested:
        way = way_of(base, requests)
        _known[base.model] = (longest, way)
        if way.reason:
            how = "in padded batches" if way.name == "batches" else "one row at a time"
            log(
                f"The base model can't compute several options in one row: {way.reason}. Its "
                f"log-likelihoods are computed {how}, which is slower and as exact."
            )
    return way
