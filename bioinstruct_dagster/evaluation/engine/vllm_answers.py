"""Answers by vLLM, on a GPU, with all adapters of a base model in one engine.

vLLM rounds otherwise than transformers, so a base model and its adapters must be answered by the
same engine: nobody falls back to the other one in silence. vLLM may also pass over an adapter
without a word (vllm#34186, vllm#48019). So each adapter is compared with transformers first.

This module was never run with vLLM itself: no GPU was at hand. Its tests replace the two classes of
vLLM that it uses.

Belongs here: one engine for all requests, and the comparison. Does not: when it is used
(evaluation.engine.answers).
"""

import importlib.util
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.evaluation.engine.progress import Tell
from bioinstruct_dagster.evaluation.engine.requests import BASE, AnswerRequest, AnswerResult
from bioinstruct_dagster.evaluation.engine.subjects import Subjects
from bioinstruct_dagster.models.adapter_proof.canaries import PROMPTS
from bioinstruct_dagster.models.base_models import LoadedBaseModel

# The values of vLLM's `max_lora_rank` (vllm/config/lora.py, MaxLoRARanks).
_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
_MOST_ADAPTERS = 16  # in one batch; vLLM keeps memory for each
_REQUESTS = 256  # of one call, between two lines of progress
_MEMORY_SHARE = 0.85  # of what is free beside the model of transformers


class VllmError(StatedError):
    """vLLM can't answer these requests. The message says why and what to do."""


def answers_by_vllm(
    subjects: Subjects,
    base: LoadedBaseModel,
    work: Mapping[str, Sequence[AnswerRequest]],
    *,
    tell: Tell,
    log: Callable[[str], None],
) -> Iterator[tuple[str, AnswerResult]]:
    """The greedily decoded answers of all requests.

    Args:
        subjects: open; those of `work` among them.
        base: their base model, on a GPU.
        work: the requests to each subject.
        tell: is called after each part, with the number of answers twice.
        log: takes one line.

    Yields:
        Subject and result.

    Raises:
        VllmError: vLLM is not installed or has no GPU, can't load the model, or an adapter does not
            act in it as it does in transformers.
    """
    queue = [(subject, one) for subject, requests in work.items() for one in requests]
    if not queue:
        return
    _refuse_unusable(base)
    engine = _Engine(subjects, base, [name for name in work if name != BASE], queue)
    for name in work:
        log(engine.compared(name))
    finished = 0
    for start in range(0, len(queue), _REQUESTS):
        part = queue[start : start + _REQUESTS]
        found = engine.answers(part)
        finished += len(part)
        tell(finished, float(finished))
        for (subject, request), tokens in zip(part, found, strict=True):
            yield subject, AnswerResult.of(request.key, tokens, base)


class _Engine:
    """vLLM with the base model and its adapters."""

    def __init__(
        self,
        subjects: Subjects,
        base: LoadedBaseModel,
        adapters: Sequence[str],
        queue: Sequence[tuple[str, AnswerRequest]],
    ) -> None:
        import torch
        from vllm import LLM
        from vllm.lora.request import LoRARequest

        self._subjects, self._base = subjects, base
        folder = Path(base.path).is_dir()
        free, total = torch.cuda.mem_get_info()
        lora: dict[str, Any] = {}
        if adapters:
            rank = max(subjects.proofs[name].expected.rank for name in adapters)
            usable = [one for one in _RANKS if one >= rank]
            if not usable:
                raise VllmError(
                    f"An adapter has the rank {rank}, and vLLM serves ranks up to {_RANKS[-1]}. "
                    "Answer without vLLM."
                )
            lora = {
                "enable_lora": True,
                "max_lora_rank": usable[0],
                "max_loras": min(len(adapters), _MOST_ADAPTERS),
            }
        longest = max(len(one.prompt_ids) + one.max_new_tokens for _, one in queue)
        self._lora = {
            name: LoRARequest(f"adapter-{number}", number, str(subjects.sources[name].folder))
            for number, name in enumerate(adapters, start=1)
        }
        self._llm = LLM(
            model=base.path,
            revision=None if folder else base.fingerprint.rpartition("@")[2],
            dtype=str(base.model.dtype).removeprefix("torch."),
            max_model_len=min(base.context, max(longest, 64)),
            gpu_memory_utilization=_MEMORY_SHARE * free / total,
            generation_config="vllm",  # not the model's own, such as a penalty for repetition
            trust_remote_code=False,
            seed=0,
            **lora,
        )

    def answers(self, part: Sequence[tuple[str, AnswerRequest]]) -> list[list[int]]:
        """Tokens of each answer, the end among them."""
        from vllm import SamplingParams

        stops = list(self._base.prompt.stop_ids)
        settings = [
            SamplingParams(
                temperature=0.0,
                max_tokens=min(one.max_new_tokens, self._base.context - len(one.prompt_ids)),
                stop_token_ids=stops,
                ignore_eos=True,  # the ends of trained rows are in stop_token_ids
                detokenize=False,
            )
            for _, one in part
        ]
        found = self._asked([one.prompt_ids for _, one in part], settings, part)
        return [list(output.outputs[0].token_ids) for output in found]

    def compared(self, subject: str) -> str:
        """A line that says how near a subject is to transformers.

        The log-probability of the likeliest next token of each canary prompt is compared with that
        of the same token by transformers, with the adapter and without it.

        Raises:
            VllmError: it is not nearer to the adapter than to the base model.
        """
        from vllm import SamplingParams

        prompts = [self._base.tokenizer(prompt)["input_ids"] for prompt in PROMPTS]
        settings = [SamplingParams(temperature=0.0, max_tokens=1, logprobs=1)] * len(prompts)
        own, other = self._next(subject, prompts), self._next(BASE, prompts)
        to_own = to_base = 0.0
        named = [(subject, None)] * len(prompts)
        for place, output in enumerate(self._asked(prompts, settings, named)):
            for token, found in output.outputs[0].logprobs[0].items():
                to_own += abs(found.logprob - float(own[place][token]))
                to_base += abs(found.logprob - float(other[place][token]))
        to_own, to_base = to_own / len(prompts), to_base / len(prompts)
        if subject != BASE and not to_own < to_base / 2:
            raise VllmError(
                f"In vLLM the adapter {subject} does not act as it was proven: its log-"
                f"probabilities differ by {to_own:.2g} nats from those of the adapter and by "
                f"{to_base:.2g} from those of the base model alone. Answer without vLLM."
            )
        return f"{subject} in vLLM: {to_own:.2g} nats from transformers on {len(prompts)} prompts"

    def _asked(
        self,
        prompts: Sequence[Sequence[int]],
        settings: Sequence[Any],
        named: Sequence[tuple[str, Any]],
    ) -> Sequence[Any]:
        found: Sequence[Any] = self._llm.generate(
            [{"prompt_token_ids": list(prompt)} for prompt in prompts],
            list(settings),
            lora_request=[self._lora.get(subject) for subject, _ in named],
            use_tqdm=False,
        )
        return found

    def _next(self, subject: str, prompts: Sequence[Sequence[int]]) -> list[Any]:
        """The log-probabilities of the next token after each prompt, by transformers."""
        import torch

        device = self._base.device
        with self._subjects.alone(subject) as model, torch.inference_mode():
            return [
                model(input_ids=torch.tensor([list(prompt)], device=device), use_cache=False)
                .logits[0, -1]
                .float()
                .log_softmax(-1)
                for prompt in prompts
            ]


def _refuse_unusable(base: LoadedBaseModel) -> None:
    faults = []
    if importlib.util.find_spec("vllm") is None:
        faults.append("vLLM is not installed")
    if base.device != "cuda":
        faults.append("the base model is not on a GPU")
    if getattr(base.model, "is_loaded_in_4bit", False):
        faults.append("the base model is loaded in four bits")
    if faults:
        raise VllmError(f"vLLM can't answer: {' and '.join(faults)}. Answer without vLLM.")
