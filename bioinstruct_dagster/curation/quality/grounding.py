"""Whether an input holds what its task needs, or only names it.

"Summarize the article" over an article's title, or "extract the diagnoses" over "A patient's
discharge summary", leaves the teacher nothing but to invent. An input is ungrounded where each of
its parts names a source (a document, a record, generic particulars), none says what is in it, and
the instruction speaks of such a source. A topic, a term, a question or a short but real description
is no source. Belongs here: that result. Does not: reading an input as a name (source_names), as a
link or a placeholder (stand_ins), or the word lists (words/sources.yaml, data/quality_rules.yaml).
"""

from collections.abc import Mapping

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.quality.rules import UngroundedRule
from bioinstruct_dagster.curation.quality.source_names import SourceName, SourceNames
from bioinstruct_dagster.curation.quality.stand_ins import StandIns
from bioinstruct_dagster.curation.quality.wording import RowCheck, RuleMatch, excerpt
from bioinstruct_dagster.signs import SignSearch

MOST_CHARS = 600


def ungrounded_check(rule: UngroundedRule) -> RowCheck:
    """An input that only names the source that its task needs."""
    return _GroundingCheck(rule).look


class _GroundingCheck:
    """Holds what an input names against what the instruction asks."""

    def __init__(self, rule: UngroundedRule) -> None:
        self._most_words = rule.most_words
        self._names, self._stand_ins = SourceNames(rule), StandIns(rule)
        self._reads, self._spares = SignSearch(rule.reads), SignSearch(rule.spares)
        self._subjects, self._titles_do = SignSearch(rule.subjects), SignSearch(rule.titles_do)
        self._results, self._texts = SignSearch(rule.results), frozenset(rule.texts)

    def look(self, task: RowTexts) -> RuleMatch | None:
        """What an ungrounded input names, and as what: a link, a placeholder or a name."""
        text = task.input.strip()
        if not text or len(text) > MOST_CHARS or len(text.split()) > self._most_words:
            return None
        if self._stand_ins.is_link(text):
            return RuleMatch({"saw": excerpt(text), "as": "link"})
        wanted = self._names.sources_in(task.instruction)
        if not wanted:
            return None
        if self._stand_ins.is_placeholder(text, task.instruction):
            return RuleMatch({"saw": excerpt(text), "as": "placeholder"})
        found = self._names.read(self._stand_ins.without_links(text))
        if (
            found is not None
            and self._names.serves(found, set(wanted.values()))
            and not (found.told and self._is_the_text(wanted, task.instruction))
            and not self._is_enough(found, task.instruction)
        ):
            return RuleMatch({"saw": excerpt(text), "as": "name"})
        return None

    def _is_the_text(self, wanted: Mapping[str, str], instruction: str) -> bool:
        """Whether a sentence on a work is itself the text that the instruction speaks of."""
        texts = self._texts.intersection(wanted)
        others = any(wanted[noun] in {"work", "recording"} for noun in wanted if noun not in texts)
        return bool(texts) and not others and self._results.search(instruction) is None

    def _is_enough(self, name: SourceName, instruction: str) -> bool:
        """Whether the task can be done from the mere name."""
        if self._spares.search(instruction) is not None:
            return True
        if self._reads.search(instruction) is not None:
            return False
        return (
            name.bare
            or self._subjects.search(instruction) is not None
            or (name.titled and self._titles_do.search(instruction) is not None)
        )
