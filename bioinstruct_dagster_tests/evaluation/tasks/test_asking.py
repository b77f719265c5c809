"""What a model is asked: the tokens of training, own order of options, and long passages."""

from dataclasses import replace

import pytest

from bioinstruct_dagster.eval_sets.catalogue import read_tasks
from bioinstruct_dagster.eval_sets.items import EvaluationItem, items_of, options_of
from bioinstruct_dagster.evaluation.tasks.asking import requests_of_items
from bioinstruct_dagster.evaluation.tasks.prompting import input_of, passage_of
from bioinstruct_dagster.models.encoding import encode_rows
from bioinstruct_dagster.models.shortening import MARKER
from bioinstruct_dagster.settings import PROJECT_ROOT
from bioinstruct_dagster_tests.eval_sets.task_files import CHOICE, LABELS, TEXT, changed, read_task
from bioinstruct_dagster_tests.models.made_tokenizers import KINDS, PROMPTS, base_of

REAL_MODEL = PROJECT_ROOT / "data" / "models" / "smollm2-135m"
BASES = [(kind, prompt) for kind in KINDS for prompt in PROMPTS]


@pytest.fixture(scope="module")
def of_task(tmp_path_factory):
    """A task from the content of its file."""

    def make(content, **parts):
        return read_task(tmp_path_factory.mktemp("t"), changed(content, **parts))

    return make


TEXTS = {"scoring": {"kind": "choice", "options": "texts"}}
ITEM = EvaluationItem(
    "quiz", "1", "Which part sees?", options=("the iris", "Retina", "no 2 mg of <|im_end|>"), gold=1
)


def requests_of(task, item, base, *, seed):
    return requests_of_items(task, [item], base, seed=seed)[0]


def trained_ids(base, task, item, output, options, passage=None):
    """The tokens that training would see, without the end token."""
    passage = passage_of(task, item) if passage is None else passage
    row = {
        "row_id": "r",
        "instruction": task.prompt.instruction,
        "input": input_of(task, item, options, passage),
        "output": output,
    }
    (example,) = encode_rows([row], base, 10**6).examples
    return tuple(example.input_ids[:-1])


@pytest.mark.parametrize("content", [CHOICE, changed(CHOICE, **TEXTS)])
@pytest.mark.parametrize("name", BASES)
def test_an_option_follows_the_prompt_with_the_tokens_of_training(of_task, name, content):
    base, task = base_of(*name), of_task(content)
    found = requests_of(task, ITEM, base, seed=1)
    (asked,) = [one for one in found.options if one.measure == "options"]
    written = ITEM.options if task.scoring.options == "texts" else ("A", "B", "C")
    for text, ids in zip(written, asked.request.option_ids, strict=True):
        whole = asked.request.prompt_ids + ids
        assert whole == trained_ids(base, task, ITEM, text, ITEM.options)


@pytest.mark.parametrize("kind", ["smollm2", "llama3"])
def test_in_a_chat_the_tokens_are_those_of_the_whole_text(of_task, kind):
    """Tokenised at once, prompt and option have no other border: a model sees what it writes."""
    base, task = base_of(kind, "chat"), of_task(changed(CHOICE, **TEXTS))
    item = replace(ITEM, options=("the iris", "Retina", " 5 mg\n"))
    (asked, _) = requests_of(task, item, base, seed=1).options
    text = base.prompt.prompt_of(
        task.prompt.instruction, input_of(task, item, item.options, passage_of(task, item))
    )
    for option, ids in zip(item.options, asked.request.option_ids, strict=True):
        whole = base.tokenizer(text + option.strip(), add_special_tokens=False)["input_ids"]
        assert [*asked.request.prompt_ids, *ids] == whole


@pytest.mark.skipif(not REAL_MODEL.is_dir(), reason="the real small model is not here")
def test_the_real_smollm2_has_a_token_for_each_letter(of_task):
    from transformers import AutoTokenizer

    from bioinstruct_dagster_tests.models.made_tokenizers import SMOLLM2, tokenizing

    tokenizer = AutoTokenizer.from_pretrained(REAL_MODEL)
    tokenizer.chat_template = tokenizer.chat_template or SMOLLM2
    base = tokenizing(tokenizer)
    (asked, _) = requests_of(of_task(CHOICE), ITEM, base, seed=1).options
    assert [len(ids) for ids in asked.request.option_ids] == [1, 1, 1]
    assert [tokenizer.decode(ids) for ids in asked.request.option_ids] == ["A", "B", "C"]


def test_the_embedded_model_is_asked_by_its_own_tokens(of_task, tiny_base):
    task = of_task(changed(CHOICE, **TEXTS))
    (asked, prior) = requests_of(task, ITEM, tiny_base, seed=1).options
    for text, ids in zip(ITEM.options, asked.request.option_ids, strict=True):
        assert asked.request.prompt_ids + ids == trained_ids(
            tiny_base, task, ITEM, text, ITEM.options
        )
    assert tiny_base.tokenizer.decode(prior.request.option_ids[1]).strip() == "Retina"


def test_options_stand_in_their_own_order_whatever_order_is_shown(of_task):
    base = base_of("smollm2", "chat")
    task = of_task(CHOICE, scoring={"kind": "choice", "orders": 3})
    found = requests_of(task, ITEM, base, seed=5)
    assert [(one.measure, one.order) for one in found.options] == [
        ("options", 0),
        ("options", 1),
        ("options", 2),
        ("prior", 0),
    ]
    assert len({one.permutation for one in found.options[:3]}) == 3
    letters = found.options[0].request.option_ids
    for asked in found.options[:3]:
        shown = [ITEM.options[place] for place in asked.permutation]
        text = base.tokenizer.decode(asked.request.prompt_ids)
        assert (
            "\n".join(f"{letter}. {one}" for letter, one in zip("ABC", shown, strict=True)) in text
        )
        for place, own in enumerate(asked.permutation):
            assert asked.request.option_ids[own] == letters[place]


def test_the_prior_shows_neither_question_nor_passage(of_task):
    base, task = base_of("smollm2", "chat"), of_task(LABELS)
    item = EvaluationItem("quiz", "1", "Is it so?", context=("It is so.",), gold=0)
    (asked, prior) = requests_of(task, item, base, seed=1).options
    text = base.tokenizer.decode(prior.request.prompt_ids)
    assert "Question:" in text
    assert "so" not in text
    assert prior.request.option_ids == asked.request.option_ids
    assert (prior.tokens_lost, prior.permutation) == (0, (0, 1))


def test_requests_of_an_item_have_keys_of_their_own(of_task):
    found = requests_of(of_task(CHOICE), ITEM, base_of("smollm2", "chat"), seed=1)
    keys = [one.request.key for one in found.options] + [found.answer.request.key]
    assert keys == ["quiz/1/options/0", "quiz/1/prior/0", "quiz/1/answer/0"]


NOTE = EvaluationItem(
    "quiz",
    "1",
    "Does the patient take warfarin?",
    context=(" ".join(f"Line {n} of the note." for n in range(90)), "The last passage ends."),
    gold=0,
)


def limited(context, kind="smollm2"):
    return replace(base_of(kind, "chat"), context=context)


def test_a_long_passage_is_cut_in_its_middle_and_counted(of_task):
    task = of_task(LABELS)
    whole = requests_of(task, NOTE, limited(100_000), seed=1)
    base = limited(400)
    found = requests_of(task, NOTE, base, seed=1)
    (asked, _) = found.options
    text = base.tokenizer.decode(asked.request.prompt_ids)
    assert "Line 0 of" in text
    assert MARKER in text
    assert "The last passage ends.\n\nQuestion: Does the patient take warfarin?" in text
    assert task.prompt.instruction in text
    room = 400 - task.scoring.max_new_tokens
    assert room - 20 < len(asked.request.prompt_ids) <= room
    lost = len(whole.options[0].request.prompt_ids) - len(asked.request.prompt_ids)
    assert asked.tokens_lost == found.answer.tokens_lost == lost > 0
    assert found.answer.request.prompt_ids == asked.request.prompt_ids
    assert whole.answer.tokens_lost == 0


def test_all_orders_show_the_same_passage_and_fit(of_task):
    task = of_task(
        CHOICE,
        fields={"context": "c"},
        prompt={"input": "{context}\n\n{question}\n\n{options}"},
        scoring={"kind": "choice", "orders": 4},
    )
    item = replace(NOTE, options=("yes, daily", "no", "stopped on the third day", "unknown"))
    base = limited(400)
    found = requests_of(task, item, base, seed=1)
    shown = {
        base.tokenizer.decode(asked.request.prompt_ids).split("Does the patient")[0]
        for asked in found.options
        if asked.measure == "options"
    }
    assert len(shown) == 1
    for asked in found.options:
        longest = max(map(len, asked.request.option_ids))
        assert len(asked.request.prompt_ids) + longest <= 400
    assert all(
        one in base.tokenizer.decode(found.answer.request.prompt_ids) for one in item.options
    )


def test_an_item_whose_question_alone_does_not_fit_is_counted(of_task):
    task = of_task(LABELS)
    long = replace(NOTE, id="2", question="Does it? " * 300)
    short = replace(NOTE, id="3", context=())
    found = requests_of_items(task, [long, short, NOTE], limited(400), seed=1)
    assert [one.item_id for one in found] == ["2", "3", "1"]
    assert found[0].unaskable == "the prompt without its passage has more than 384 tokens"
    assert (found[0].options, found[0].answer) == ((), None)
    assert [one.unaskable for one in found[1:]] == ["", ""]


def test_a_conversation_is_cut_only_if_the_task_says_so(of_task):
    talk = EvaluationItem("quiz", "1", "Doctor: How are you? " * 200, answers=("Well.",))
    plain = requests_of(of_task(TEXT), talk, limited(600), seed=1)
    assert plain.unaskable
    found = requests_of(of_task(TEXT, prompt={"passage": "question"}), talk, limited(600), seed=1)
    assert found.answer.tokens_lost > 0
    assert found.answer.request.max_new_tokens == 256
    assert 600 - 256 - 20 < len(found.answer.request.prompt_ids) <= 600 - 256


def test_an_answer_gets_at_most_half_of_the_context(of_task):
    found = requests_of(of_task(TEXT), replace(NOTE, answers=("Yes.",)), limited(200), seed=1)
    assert found.answer.request.max_new_tokens == 100
    assert found.options == ()


def test_many_items_at_once_are_each_item_by_itself(of_task):
    task, base = of_task(LABELS), limited(300)
    items = [
        replace(NOTE, id=str(n), context=NOTE.context[:1] if n % 2 else ("Short.",), question=q)
        for n, q in enumerate(["Is it?", "Was it?", "Will it be?" * 99, "Has it been?"])
    ]
    assert requests_of_items(task, items, base, seed=3) == [
        requests_of(task, item, base, seed=3) for item in items
    ]


def test_all_fixtures_can_be_asked_of_the_embedded_model(tiny_base):
    catalogue = read_tasks()
    for task in catalogue.tasks:
        items = items_of(task, catalogue.folder / "nowhere", fixtures=catalogue.fixtures).items
        for found, item in zip(
            requests_of_items(task, items, tiny_base, seed=0), items, strict=True
        ):
            assert found.unaskable == "", (task.name, item.id)
            assert len(found.answer.request.prompt_ids) < tiny_base.context
            for asked in found.options:
                assert len(asked.request.option_ids) == len(options_of(task, item))
                assert all(asked.request.option_ids)
