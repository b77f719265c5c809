"""vLLM's two classes are replaced by ones that compute with transformers: no GPU is at hand.

So these tests show the requests, the results and the comparison, and not vLLM.
"""

import sys
import types
from dataclasses import dataclass, replace
from types import SimpleNamespace

import pytest
import torch

from bioinstruct_dagster.evaluation.engine import vllm_answers
from bioinstruct_dagster.evaluation.engine.answers import answers
from bioinstruct_dagster.evaluation.engine.requests import AnswerRequest
from bioinstruct_dagster.evaluation.engine.vllm_answers import VllmError

REQUESTS = [AnswerRequest(f"key-{at}", tuple(range(7 + at, 20 + 2 * at)), 6) for at in range(4)]


@dataclass
class StandIn:
    """What vLLM's `LLM` takes and gives. With `silent`, it passes over adapters."""

    subjects: object
    silent: bool = False

    def __call__(self, **settings):
        self.settings = settings
        return self

    def generate(self, prompts, settings, lora_request, use_tqdm):
        assert not use_tqdm
        return [
            self._one(prompt["prompt_token_ids"], one, lora)
            for prompt, one, lora in zip(prompts, settings, lora_request, strict=True)
        ]

    def _one(self, ids, settings, lora):
        subject = "base" if lora is None or self.silent else lora.subject
        tokens, logprobs = [], []
        with self.subjects.alone(subject) as model, torch.inference_mode():
            while len(tokens) < settings.max_tokens:
                row = torch.tensor([[*ids, *tokens]])
                found = model(input_ids=row, use_cache=False).logits[0, -1].log_softmax(-1)
                tokens.append(int(found.argmax()))
                logprobs.append({tokens[-1]: SimpleNamespace(logprob=float(found.max()))})
                if tokens[-1] in getattr(settings, "stop_token_ids", ()):
                    break
        return SimpleNamespace(outputs=[SimpleNamespace(token_ids=tokens, logprobs=logprobs)])


@pytest.fixture
def stand_in(subjects, monkeypatch):
    """The replaced classes, in modules of vLLM's names."""
    by_folder = {str(one.folder): name for name, one in subjects.sources.items()}

    def request(name, number, path):
        return SimpleNamespace(name=name, number=number, subject=by_folder[path])

    found = StandIn(subjects)
    vllm = types.ModuleType("vllm")
    vllm.LLM, vllm.SamplingParams = found, SimpleNamespace
    lora = types.ModuleType("vllm.lora.request")
    lora.LoRARequest = request
    for name, module in (("vllm", vllm), ("vllm.lora.request", lora)):
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(vllm_answers, "_refuse_unusable", lambda _: None)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (6, 8))
    return found


@pytest.fixture
def stopping(subjects):
    prompt = replace(subjects.base.prompt, stop_ids=(1, *range(100, 2900, 5)))
    return replace(subjects.base, prompt=prompt)


def test_answers_are_those_of_the_usual_engine(subjects, stopping, stand_in):
    work = {"base": REQUESTS, "rslora": REQUESTS, "rank 8": REQUESTS[:2]}
    told, lines = [], []
    by_vllm = dict_of(
        answers(
            subjects,
            stopping,
            work,
            vllm=True,
            tell=lambda *values: told.append(values),
            log=lines.append,
        )
    )
    assert by_vllm == dict_of(answers(subjects, stopping, work))
    assert told == [(10, 10.0)]
    assert [line.partition(" in vLLM")[0] for line in lines] == list(work)
    settings = stand_in.settings
    assert (settings["max_lora_rank"], settings["max_loras"]) == (8, 2)
    assert settings["gpu_memory_utilization"] == pytest.approx(0.85 * 0.75)
    assert settings["trust_remote_code"] is False


def dict_of(found):
    return {(subject, one.key): one for subject, one in found}


def test_an_adapter_that_vllm_passes_over_is_refused(subjects, stopping, stand_in):
    stand_in.silent = True
    with pytest.raises(VllmError, match="the adapter plain does not act as it was proven"):
        list(answers(subjects, stopping, {"base": REQUESTS, "plain": REQUESTS}, vllm=True))


def test_without_vllm_and_gpu_the_reason_is_told(subjects):
    with pytest.raises(VllmError, match=r"vLLM is not installed and the base model is not on a"):
        list(answers(subjects, subjects.base, {"base": REQUESTS}, vllm=True))
