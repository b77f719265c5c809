"""The facts on the documents that the rows themselves do not hold.

What is not known is None or empty, and the documents then say nothing, or that it is not known.
Belongs here: the facts as plain values. Does not: reading them from a store (card.stored), what is
measured on the rows (card.statistics), or any text (card.render).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bioinstruct_dagster.dataset.splits import SplitBy


@dataclass(frozen=True)
class Requests:
    """Replies of one teacher for one purpose, and what they cost.

    Attributes:
        purpose: as in `completions`.
        teacher: who answered, in words.
        rehearsal: whether the rehearsal server answered, which nobody pays.
        replies: their number.
        prompt_tokens: of all replies that state them; None if none does.
        completion_tokens: likewise.
        usd: of all replies whose price is known; None if none is.
        unpriced: replies whose price is not known.
        first: when the first reply was there.
        last: when the last reply was there.
    """

    purpose: str
    teacher: str
    rehearsal: bool
    replies: int
    prompt_tokens: int | None
    completion_tokens: int | None
    usd: float | None
    unpriced: int
    first: datetime
    last: datetime


@dataclass(frozen=True)
class Prompt:
    """A prompt that rows of the set were made with.

    Attributes:
        template: its name.
        sha256: of its fixed text and its response format.
        rows: of the set that were made with it.
        system: the system message; None if this version of the project has another text.
        user: the user message with its placeholders; likewise.
    """

    template: str
    sha256: str
    rows: int
    system: str | None = None
    user: str | None = None


@dataclass(frozen=True)
class GateCounts:
    """What a gate found in the raw rows, and what it left in the kept rows.

    Attributes:
        settings: the gate's `made_of` of its last version, such as its action.
        checked: raw rows that have a verdict.
        rejected: raw rows by what they were rejected for; a row may count for several.
        rejected_rows: raw rows that the gate rejects.
        repaired: kept rows whose text it changed, by what for.
        flagged: kept rows that it marked, by what for.
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    checked: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)
    rejected_rows: int = 0
    repaired: Mapping[str, int] = field(default_factory=dict)
    flagged: Mapping[str, int] = field(default_factory=dict)

    @property
    def action(self) -> str:
        """What the gate does with a finding; empty if its settings do not say."""
        return str(self.settings.get("action", ""))


@dataclass(frozen=True)
class StoredFacts:
    """What a store knows of the way from seeds to rows.

    Attributes:
        seeds: the number of seed tasks.
        requests: replies for the data set, by purpose and teacher; not those for evaluation.
        unanswered: requests that were sent and never answered, which may have been billed.
        unanswered_usd: the most that they can have cost; None if there is none or no price.
        prompts: of the replies behind the rows.
        privacy: what the privacy gate found.
        contamination: what the contamination gate found; by evaluation task.
        novelty: the novelty gate.
    """

    seeds: int = 0
    requests: Sequence[Requests] = ()
    unanswered: int = 0
    unanswered_usd: float | None = None
    prompts: Sequence[Prompt] = ()
    privacy: GateCounts = GateCounts()
    contamination: GateCounts = GateCounts()
    novelty: GateCounts = GateCounts()


@dataclass(frozen=True)
class Card:
    """The facts on the card that the rows themselves do not hold.

    Attributes:
        teacher: who answered the requests behind the rows, with the number of rows of each.
        template: the prompt templates of these requests.
        seeds_fingerprint: the sha256 of the seed tasks.
        funnel: the rows of the view `funnel` up to the labels.
        gates: a description of each gate, by name.
        split_by: the rule of the splits.
        other_language: the number of rows that are not English, as far as the quality gate can
            tell; None if it was not asked.
        marked: a sentence for each kind of mark that gates left on rows of the set.
        stored: what the store knows besides.
        licence: of the data set, as the setting BIOINSTRUCT_DATASET_LICENCE names it; empty if none
            was chosen.
        review: the section on the review by people (card.review); empty if there was none.
        version: of this project; empty if it is not known.
    """

    teacher: str
    template: str
    seeds_fingerprint: str
    funnel: Sequence[Mapping[str, Any]] = field(default=())
    gates: Mapping[str, str] = field(default_factory=dict)
    split_by: SplitBy = "instruction"
    other_language: int | None = None
    marked: Sequence[str] = field(default=())
    stored: StoredFacts = StoredFacts()
    licence: str = ""
    review: str = ""
    version: str = ""
