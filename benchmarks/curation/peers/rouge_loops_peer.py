"""Self-Instruct's and stanford_alpaca's novelty loops, line by line as they stand there.

self-instruct 0b26cca, `bootstrap_instructions.py`; stanford_alpaca 761dc5b,
`generate_instruction.py`. Left out is what writes files and shows progress. A process pool is made
for every candidate as there, but of as many processes as the machine has cores (theirs: 4 and 16),
which is faster for them. The first text stands for the seeds.
"""
# ruff: noqa: PLR2004, SLF001

import os
import time
from functools import partial
from multiprocessing import Pool

import numpy as np
from measured import Body, Job, run
from rouge_score import rouge_scorer

PROCESSES = os.cpu_count()


def self_instruct(job: Job) -> Body:
    """`scorer.score` of each candidate with all that is kept; both are tokenised every time."""
    candidates = job.read("texts")[: max(job.options["marks"])]
    scorer = rouge_scorer.RougeScorer(["rougeL"], use_stemmer=False)

    def body():
        machine_instructions, marks = candidates[:1], Marks(job.options["marks"])
        for inst in candidates[1:]:
            with Pool(PROCESSES) as p:
                rouge_scores = p.map(partial(scorer.score, inst), machine_instructions)
            rouge_scores = [score["rougeL"].fmeasure for score in rouge_scores]
            marks.passed(len(machine_instructions), kept=max(rouge_scores) <= 0.7)
            if max(rouge_scores) > 0.7:
                continue
            all_instructions = list(machine_instructions)
            {all_instructions[i]: rouge_scores[i] for i in np.argsort(rouge_scores)[-10:][::-1]}
            machine_instructions.append(inst)
            float(np.mean(rouge_scores))
        return marks.figures()

    return body


def alpaca(job: Job) -> Body:
    """`_score_lcs` of tokens that are kept."""
    candidates = job.read("texts")[: max(job.options["marks"])]
    scorer = rouge_scorer.RougeScorer(["rougeL"], use_stemmer=False)

    def body():
        all_instructions, marks = candidates[:1], Marks(job.options["marks"])
        all_instruction_tokens = [scorer._tokenizer.tokenize(inst) for inst in all_instructions]
        for instruction in candidates[1:]:
            new_instruction_tokens = scorer._tokenizer.tokenize(instruction)
            with Pool(PROCESSES) as p:
                rouge_scores = p.map(
                    partial(rouge_scorer._score_lcs, new_instruction_tokens),
                    all_instruction_tokens,
                )
            rouge_scores = [score.fmeasure for score in rouge_scores]
            {all_instructions[i]: rouge_scores[i] for i in np.argsort(rouge_scores)[-10:][::-1]}
            marks.passed(len(all_instructions), kept=max(rouge_scores) <= 0.7)
            if max(rouge_scores) > 0.7:
                continue
            float(np.mean(rouge_scores))
            all_instructions.append(instruction)
            all_instruction_tokens.append(new_instruction_tokens)
        return marks.figures()

    return body


class Marks:
    """The clock and the number of pairs after so many candidates, the first included."""

    def __init__(self, after: list[int]) -> None:
        self._after = frozenset(after)
        self._started = time.perf_counter()
        self._candidates, self._pairs = 1, 0
        self._marks: list[tuple[int, int, float]] = []
        self._removed: list[int] = []

    def passed(self, compared_with: int, *, kept: bool) -> None:
        """One more candidate is checked."""
        if not kept:
            self._removed.append(self._candidates)
        self._candidates += 1
        self._pairs += compared_with
        if self._candidates in self._after:
            seconds = time.perf_counter() - self._started
            self._marks.append((self._candidates, self._pairs, seconds))

    def figures(self) -> dict:
        """All marks, and the places of what was not kept."""
        return {"marks": self._marks, "removed": self._removed}


if __name__ == "__main__":
    run({"self_instruct": self_instruct, "alpaca": alpaca}, "rouge-score")
