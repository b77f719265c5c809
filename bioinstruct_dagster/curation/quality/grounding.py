"""Checks whether an input holds the source that its task needs, or only names the source.

If the input of "summarize the article" is a title, or that of "extract the diagnoses" is "A
patient's discharge summary", the teacher must invent the content. An input is ungrounded if each of
its parts names a source (a document, a record, general particulars), no part states the source's
content, and the instruction needs such a source. A topic, a term, a question or a short description
is no source. Belongs here: this decision. Does not: reading an input as a name (source_names), as a
link or a placeholder (stand_ins), or the word lists (words/sources.yaml, data/quality_rules.yaml).
"""

from collections.abc import Mapping

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.quality.rules import UngroundedRule
from bioinstruct_dagster.curation.quality.source_names import SourceName, SourceNames
from bioinstruct_dagster.curation.quality.stand_ins import StandIns
from bioinstruct_dagster.curation.quality.wording import RowCheck, RuleMatch, excerpt
from bioinstruct_dagster.curation.tokens.scripts import count_words
from bioinstruct_dagster.signs import SignSearch

MOST_CHARS = 600  # of an input that may be a name


def ungrounded_check(rule: UngroundedRule) -> RowCheck:
    """A check for an input that only names the source that its task needs."""
    return _GroundingCheck(rule).check


class _GroundingCheck:
    """Compares the source that an input names with the task of the instruction."""

    def __init__(self, rule: UngroundedRule) -> None:
        self._most_words = rule.most_words
        self._names, self._stand_ins = SourceNames(rule), StandIns(rule)
        self._reads, self._spares = SignSearch(rule.reads), SignSearch(rule.spares)
        self._subjects, self._titles_do = SignSearch(rule.subjects), SignSearch(rule.titles_do)
        self._results, self._texts = SignSearch(rule.results), frozenset(rule.texts)

    def check(self, row: RowTexts) -> RuleMatch | None:
        """The match for an ungrounded input: a link, a placeholder or a name."""
        text = row.input.strip()
        if not text or len(text) > MOST_CHARS or count_words(text).fewest > self._most_words:
            return None
        if self._stand_ins.is_link(text):
            return RuleMatch({"saw": excerpt(text), "as": "link"})
        wanted = self._names.sources_in(row.instruction)
        if not wanted:
            return None
        if self._stand_ins.is_placeholder(text, row.instruction):
            return RuleMatch({"saw": excerpt(text), "as": "placeholder"})
        found = self._names.read(self._stand_ins.without_links(text))
        if (
            found is not None
            and self._names.is_wanted(found, set(wanted.values()))
            and not (found.is_sentence and self._is_the_text(wanted, row.instruction))
            and not self._is_enough(found, row.instruction)
        ):
            return RuleMatch({"saw": excerpt(text), "as": "name"})
        return None

    def _is_the_text(self, wanted: Mapping[str, str], instruction: str) -> bool:
        """Whether a sentence about a work is itself the text that the instruction means."""
        texts = self._texts.intersection(wanted)
        others = any(wanted[noun] in {"work", "recording"} for noun in wanted if noun not in texts)
        return bool(texts) and not others and self._results.search(instruction) is None

    def _is_enough(self, name: SourceName, instruction: str) -> bool:
        """Whether the name alone is enough for the task."""
        if self._spares.search(instruction) is not None:
            return True
        if self._reads.search(instruction) is not None:
            return False
        return (
            name.bare
            or self._subjects.search(instruction) is not None
            or (name.titled and self._titles_do.search(instruction) is not None)
        )
