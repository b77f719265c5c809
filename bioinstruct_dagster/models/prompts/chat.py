"""The tokenizer's chat template as a prompt: one user turn, and the start of the model's turn.

The instruction is the user's message; an input follows it after an empty line. No system message is
given, so a template that has one of its own writes it, as it does for every client that sends none.
A template that can ask the model to think is told not to, because the rows hold answers alone.

Belongs here: rendering a chat, and what ends the model's turn. Does not: tokenising it
(models.prompts.tokens).
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

from bioinstruct_dagster.models.prompts.control_tokens import ControlTokens
from bioinstruct_dagster.models.prompts.ends import end_of_text, with_end
from bioinstruct_dagster.models.prompts.template import PromptTemplate, PromptTemplateError
from bioinstruct_dagster.store.fingerprints import sha256_of

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

RULES = 1  # raise it if the same template would give another prompt
# Some templates write the date of the day, so that the same row would give another prompt tomorrow.
# This is the date that Llama 3.1's template writes if it is given none.
_DATE = date(2024, 7, 26)
_DATE_OF_DAY = re.compile(r"""strftime_now\(\s*(['"])(.*?)\1\s*\)""")
_QUESTION, _ANSWER = "Question-7f3a1c", "Answer-7f3a1c"  # no template writes these itself
# A message as rows may hold it: every kind of character that a template could change or lose, and
# longer than any row. It names no control token and neither begins nor ends with a blank, which
# many templates strip.
_LINE = (
    "Dose 5 mg/kg  <b>NOT</b> {{x}} {% y %} & \"quoted\" 'so' \\n\\ [INST] # ~ `a` ^|\n\n\t"
    "β-Lactam µg ± ≥ é e\u0301 \u00a0 患者 العربية \U0001f9ec \U00013085 ﬁ\n"
)
_MESSAGE = f"{_QUESTION} {_LINE * 1000}{_QUESTION[::-1]}"


def chat_template(tokenizer: "PreTrainedTokenizerBase", stops: Sequence[int]) -> PromptTemplate:
    """The tokenizer's chat template as a prompt template.

    Args:
        tokenizer: of the base model.
        stops: the tokens at which the model's own generation stops.

    Raises:
        PromptTemplateError: there is no chat template, or it is not one for this use.
    """
    text = _text_of(tokenizer)
    render = partial(_render, tokenizer, text)
    prompt = render([_user(_QUESTION)], generation=True)
    without = render([_user(_QUESTION)], generation=False)
    if _QUESTION not in prompt:
        raise _unusable("does not write the user's message")
    _refuse_changed_message(render([_user(_MESSAGE)], generation=True))
    lead, end = "", None
    notes: list[str] = []
    try:
        turn = render(
            [_user(_QUESTION), {"role": "assistant", "content": _ANSWER}], generation=False
        )
    except PromptTemplateError:
        turn = ""  # a template for prompts alone
    before, found, after = turn.rpartition(_ANSWER)
    continues = bool(found) and before.startswith(prompt)
    opening = before[len(prompt) :] if continues else ""
    if prompt == without and opening.strip():
        raise _unusable(
            f"writes no start of the model's turn ({opening!r}) when a prompt is asked for; it "
            "ignores `add_generation_prompt`"
        )
    if found:
        lead = opening if not opening.strip() else ""
        end = ControlTokens.of(tokenizer).first_after_blanks(after)
        if not continues:
            starts = [text.rpartition(_QUESTION)[2] for text in (prompt, before)]
            notes.append(
                f"After the user's message, the chat template writes {starts[0]!r} in a prompt, "
                f"but {starts[1]!r} before an answer. Rows are trained with the prompt's form, "
                "because a model that generates sees that one."
            )
    if end is None:
        end, other_notes = end_of_text(tokenizer, stops)
        notes += other_notes
    elif stops and end not in stops:
        name = tokenizer.convert_ids_to_tokens(end)
        notes.append(
            f"The chat template ends a turn with {name!r} (id {end}), at which the model's own "
            f"generation does not stop. Serve the adapter with {end} among the stop tokens."
        )
    return PromptTemplate(
        version=f"chat/{sha256_of([RULES, text])[:12]}",
        render=lambda instruction, task_input: render(
            [_user(f"{instruction}\n\n{task_input}" if task_input else instruction)],
            generation=True,
        ),
        end_id=end,
        stop_ids=with_end(end, stops),
        joins=True,
        response_lead=lead,
        notes=tuple(notes),
    )


def _text_of(tokenizer: "PreTrainedTokenizerBase") -> str:
    """The chat template's text with a fixed date; of several templates, the one named `default`."""
    template: Any = tokenizer.chat_template
    if isinstance(template, Mapping):
        template = template.get("default")
    if not template:
        raise PromptTemplateError(
            "The base model's tokenizer has no chat template, as is usual for a model that was not "
            "trained on chats. Set `prompt: alpaca`, or name a template's file, for this base "
            "model in the experiment file (BIOINSTRUCT_EXPERIMENTS)."
        )
    return _DATE_OF_DAY.sub(lambda call: repr(_DATE.strftime(call[2])), str(template))


def _render(
    tokenizer: "PreTrainedTokenizerBase",
    text: str,
    messages: Sequence[Mapping[str, str]],
    *,
    generation: bool,
) -> str:
    from jinja2 import TemplateError

    try:
        return str(
            tokenizer.apply_chat_template(
                [dict(message) for message in messages],
                chat_template=text,
                add_generation_prompt=generation,
                tokenize=False,
                enable_thinking=False,  # of Qwen 3, SmolLM 3 and others; the rest ignore it
            )
        )
    except (TemplateError, TypeError, ValueError, KeyError) as error:
        raise _unusable(f"can't be rendered ({type(error).__name__}: {error})") from error


def _refuse_changed_message(prompt: str) -> None:
    """Check that a prompt holds the whole message as it was given."""
    if _MESSAGE in prompt:
        return
    _, found, written = prompt.partition(_QUESTION)
    wanted = _MESSAGE.removeprefix(_QUESTION)
    same = next(
        (at for at, (one, other) in enumerate(zip(wanted, written, strict=False)) if one != other),
        min(len(wanted), len(written)),
    )
    at = same + len(_QUESTION)
    if not found:
        raise _unusable("changes the user's message")
    raise _unusable(
        f"cuts or changes the user's message: after {at:,} of {len(_MESSAGE):,} characters, it "
        f"writes {written[same : same + 20]!r} instead of {wanted[same : same + 20]!r}"
    )


def _user(content: str) -> dict[str, str]:
    return {"role": "user", "content": content}


def _unusable(fault: str) -> PromptTemplateError:
    return PromptTemplateError(
        f"The chat template of the base model's tokenizer {fault}. Correct the template "
        "(chat_template.jinja or tokenizer_config.json), or set `prompt` to alpaca or to a "
        "template's file for this base model in the experiment file (BIOINSTRUCT_EXPERIMENTS)."
    )
