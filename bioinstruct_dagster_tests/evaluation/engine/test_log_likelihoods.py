"""Log-likelihoods: exact in any batch and order, for every subject, and computed once."""

import random
from dataclasses import replace

import pytest
import torch

from bioinstruct_dagster.evaluation.engine import log_likelihoods as module
from bioinstruct_dagster.evaluation.engine.log_likelihoods import log_likelihoods
from bioinstruct_dagster.evaluation.engine.requests import OptionRequest
from bioinstruct_dagster.evaluation.engine.self_test import Way


def made_requests(number=32, vocabulary=90, longest=40):
    """Requests with a common beginning, options of several lengths, and one as long as 3 chunks."""
    draw = random.Random(3)

    def text(least, most):
        return tuple(draw.randrange(5, vocabulary) for _ in range(draw.randint(least, most)))

    begin = text(12, 12)
    requests = []
    for at in range(number):
        prompt = begin[: draw.choice((0, 6, 12))] + text(1, longest)
        stem = text(0, 2)
        options = tuple(stem + text(1, 5) for _ in range(draw.randint(1, 5)))
        requests.append(OptionRequest(f"r{at}", prompt, options))
    letters = replace(requests[0], key="letters", option_ids=((5,), (6,), (7,)))
    long = OptionRequest("long", begin + text(300, 300), (text(3, 3), text(2, 2)))
    return [*requests, letters, long]


REQUESTS = made_requests()


def alone(model, request):
    """Each option in a row of its own, by the model's plain forward pass."""
    sums = []
    for option in request.option_ids:
        ids = torch.tensor([[*request.prompt_ids, *option[:-1]]])
        with torch.inference_mode():
            scores = model(input_ids=ids, use_cache=False).logits[0].double().log_softmax(-1)
        first = len(request.prompt_ids) - 1
        sums.append(sum(float(scores[first + at, token]) for at, token in enumerate(option)))
    return tuple(sums)


def computed(subjects, base, work, tokens=512, **more):
    more = {"tell": lambda _: None} | more
    found = log_likelihoods(subjects, base, work, tokens_per_pass=tokens, **more)
    return {(subject, result.key): result.log_likelihoods for subject, result in found}


def worst(one, other):
    assert one.keys() == other.keys()
    return max(abs(a - b) for key in one for a, b in zip(one[key], other[key], strict=True))


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch):
    monkeypatch.setattr(module, "_known", type(module._known)())


def test_they_equal_those_of_rows_that_are_computed_alone(subjects, own_base):
    lines = []
    work = {"base": REQUESTS, "plain": REQUESTS, "rank 8": REQUESTS[:9]}
    found = computed(subjects, own_base, work, log=lines.append)
    expected = {}
    for subject, requests in work.items():
        with subjects.alone(subject) as model:
            expected |= {(subject, one.key): alone(model, one) for one in requests}
    assert worst(found, expected) < 1e-5
    assert found["plain", "r3"] != found["base", "r3"]
    assert not lines  # the tree was used


@pytest.mark.parametrize("way", [Way("tree"), Way("batches"), Way("rows")])
def test_batches_of_1_7_and_32_and_any_order_agree(subjects, own_base, monkeypatch, way):
    monkeypatch.setattr(module, "way_of", lambda *_: way)
    whole = computed(subjects, own_base, {"base": REQUESTS[:32]}, tokens=4_096)
    each, sevens = {}, {}
    for one in REQUESTS[:32]:
        each |= computed(subjects, own_base, {"base": [one]})
    for at in range(0, 32, 7):
        sevens |= computed(subjects, own_base, {"base": REQUESTS[at : min(at + 7, 32)]})
    permuted = random.Random(1).sample(REQUESTS[:32], 32)
    assert worst(whole, each) < 1e-5
    assert worst(whole, sevens) < 1e-5
    assert worst(whole, computed(subjects, own_base, {"base": permuted}, tokens=100)) < 1e-5


def test_equal_requests_are_computed_once(subjects, own_base, monkeypatch):
    passes = []
    compute = module.log_likelihoods_of
    monkeypatch.setattr(
        module,
        "log_likelihoods_of",
        lambda model, tensors: passes.append(tensors) or compute(model, tensors),
    )
    twice = [*REQUESTS[:5], *(replace(one, key=f"again {one.key}") for one in REQUESTS[:5])]
    told = []
    found = computed(subjects, own_base, {"base": twice, "plain": twice}, tell=told.append)
    assert len(found) == 20
    assert found["plain", "r1"] == found["plain", "again r1"]
    assert [len(one.options) for one in passes] == [5, 5]
    assert passes[0] is passes[1]  # both subjects use the same tensors
    assert told == [10, 10]


def test_the_model_is_as_before_also_between_results(subjects, own_base):
    own = own_base.model.config._attn_implementation
    ids = torch.tensor([REQUESTS[0].prompt_ids])
    with torch.inference_mode():
        before = own_base.model(input_ids=ids).logits
        found = log_likelihoods(
            subjects, own_base, {"plain": REQUESTS}, tokens_per_pass=64, tell=lambda _: None
        )
        next(found)
        between = own_base.model(input_ids=ids).logits
    assert torch.equal(before, between)
    assert own_base.model.config._attn_implementation == own
    found.close()
    assert torch.equal(before, own_base.model(input_ids=ids).logits)


def test_without_requests_there_is_nothing(subjects, own_base):
    assert computed(subjects, own_base, {}) == {}
    assert computed(subjects, own_base, {"base": []}) == {}


def test_the_log_says_if_trees_can_t_be_computed(subjects, own_base, monkeypatch):
    monkeypatch.setattr(module, "way_of", lambda *_: Way("rows", "its attention is odd"))
    lines = []
    for _ in range(2):
        computed(subjects, own_base, {"base": REQUESTS[:2]}, log=lines.append)
    assert len(lines) == 1
    assert "its attention is odd" in lines[0]
    assert "one row at a time" in lines[0]


def test_if_memory_does_not_suffice_passes_are_halved(subjects, own_base, monkeypatch):
    compute = module.log_likelihoods_of
    sizes = []

    def small(model, tensors):
        sizes.append(tensors.input_ids.shape[1])
        if sizes[-1] > 150 and len(tensors.options) > 1:
            raise torch.OutOfMemoryError
        return compute(model, tensors)

    expected = computed(subjects, own_base, {"base": REQUESTS, "plain": REQUESTS})
    monkeypatch.setattr(module, "log_likelihoods_of", small)
    lines = []
    found = computed(
        subjects, own_base, {"base": REQUESTS, "plain": REQUESTS}, tokens=600, log=lines.append
    )
    assert max(sizes) > 150
    assert worst(found, expected) < 1e-5
    assert len(lines) == 1


def test_memory_that_does_not_suffice_for_one_request_is_an_error(subjects, own_base, monkeypatch):
    def never(*_, **__):
        raise torch.OutOfMemoryError

    monkeypatch.setattr(module, "log_likelihoods_of", never)
    with pytest.raises(torch.OutOfMemoryError):
        computed(subjects, own_base, {"base": REQUESTS[:3]})
