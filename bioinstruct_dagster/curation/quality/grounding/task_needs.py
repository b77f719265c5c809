"""What the instruction of a task needs: the content of a source, a list, or only a topic.

Belongs here: reading the instruction by the signs of the rule. Does not: reading the input
(source_names, stand_ins, vague_inputs), the decision (grounding), or the signs themselves
(data/quality_rules.yaml).
"""

import re
from collections.abc import Mapping

from bioinstruct_dagster.curation.quality.grounding.source_words import (
    SourceName,
    SourceWords,
    nouns_of,
    source_list,
)
from bioinstruct_dagster.curation.quality.rules import UngroundedRule
from bioinstruct_dagster.signs import SignSearch, WordedPattern

OF_WORK = WordedPattern(
    r"^given an? (?:[\w-]+ ){0,4}(?:study|article|paper|trial|publication)\b"
    r"|\b(?:of|in|from) (?:the|this|a) (?:(?:given|provided|following|medical|research|scientific"
    r"|clinical|journal|published) ){1,4}(?:study|article|paper|trial|publication)\b",
    re.IGNORECASE,
)
RESULTS_OF_TEST = WordedPattern(r"\b(?:results?|findings|interpret)\b", re.IGNORECASE)


class TaskNeeds:
    """Reads instructions by the signs of a rule."""

    def __init__(self, rule: UngroundedRule, words: SourceWords) -> None:
        self._words = words
        self._reads, self._results = SignSearch(rule.reads), SignSearch(rule.results)
        self._subjects, self._explains = SignSearch(rule.subjects), SignSearch(rule.explains)
        self._spares, self._titles_do = SignSearch(rule.spares), SignSearch(rule.titles_do)
        self._things, self._plans = SignSearch(rule.things), SignSearch(rule.plans)
        self._processes, self._at_hand = SignSearch(rule.processes), SignSearch(rule.at_hand)
        self._writes_list, self._given_list = (
            SignSearch(rule.writes_list),
            SignSearch(rule.given_list),
        )
        self._on_person, self._replies = SignSearch(rule.on_person), SignSearch(rule.replies)
        self._norm_says, self._texts = SignSearch(rule.norm_says), frozenset(rule.texts)
        self._answers = SignSearch(("question|questions|answer*",))
        self._short_texts, self._letters = map(source_list, ("short_texts", "letters"))
        self._pictures, self._tests = map(source_list, ("pictures", "kinds_of_test"))

    def sources_in(self, instruction: str) -> dict[str, str]:
        """The nouns for sources in an instruction, and the class of each."""
        return self._words.sources_in(instruction)

    def spares(self, instruction: str) -> bool:
        """Whether a name is enough, whatever else the instruction says."""
        return self._spares.search(instruction) is not None

    def is_topical(self, instruction: str) -> bool:
        """Whether the task explains a kind of source, or writes one, and reads none."""
        return any(
            signs.search(instruction) for signs in (self._spares, self._explains, self._subjects)
        )

    def is_at_hand(self, instruction: str) -> bool:
        """Whether the task works on a text or on data that should be there."""
        return any(signs.search(instruction) for signs in (self._processes, self._at_hand))

    def title_does(self, instruction: str) -> bool:
        """Whether the title of a work may be enough."""
        return self._titles_do.search(instruction) is not None

    def needs_list(self, members: str, instruction: str) -> bool:
        """Whether the task is about the members of a list, and does not write one."""
        if self.spares(instruction) or self._writes_list.search(instruction):
            return False
        return members in nouns_of(instruction) or self._given_list.search(instruction) is not None

    def needs(self, name: SourceName, text: str, instruction: str) -> bool:
        """Whether the task needs the content of the source that the input names.

        Args:
            name: the source.
            text: the input, which names it.
            instruction: of the task.
        """
        wanted = self.sources_in(instruction)
        if not wanted and "patient" in nouns_of(instruction):
            wanted = {"patient": "particular"}  # the task needs the patient's data
        if (
            self._plans.search(instruction)
            or self._is_short_text(name, wanted)
            or (name.is_sentence and self._is_the_text(wanted, instruction))
        ):
            return False
        if name.loose:
            return self._is_meant(name, wanted, instruction)
        if self._is_wanted(name, wanted, instruction) and not self._is_enough(name, instruction):
            return True
        return self._is_used(name, text, instruction)

    def _is_used(self, name: SourceName, text: str, instruction: str) -> bool:
        """Whether the task uses a source that it need not mention: "Check the doses"."""
        person = name.noun != "work" and self._words.is_held(text)
        if person and self._on_person.search(instruction):
            return True
        if name.word in self._letters and self._replies.search(instruction):
            return True
        if name.noun == "norm" or not name.word or self.is_topical(instruction):
            return False
        return person or self._is_processed(name, instruction)

    def _is_processed(self, name: SourceName, instruction: str) -> bool:
        """Whether the task works on the named source, which it does not mention."""
        if self._processes.search(instruction) is None:
            return False
        enough = self._titles_do.search(instruction) is not None
        if name.bare:
            return not enough and self._things.search(instruction) is None
        return not (name.titled and enough)

    def _is_wanted(self, name: SourceName, wanted: Mapping[str, str], instruction: str) -> bool:
        """Whether the named source is of a class that the instruction means."""
        classes = set(wanted.values())
        if name.noun == "norm":
            return bool(classes & {"norm", "work"})
        if name.titled:
            return "work" in classes or ("record" in classes and not name.unlabelled)
        if name.noun == "particular" or classes & {"work", "record", "recording"}:
            return bool(classes) or name.noun != "particular"
        # A record holds the particulars of a person.
        return name.noun == "record" and "particular" in classes and self.is_at_hand(instruction)

    def _is_enough(self, name: SourceName, instruction: str) -> bool:
        """Whether the name of a source that the instruction means is enough for the task."""
        if self.spares(instruction):
            return True
        if name.noun == "norm":
            return self._norm_says.search(instruction) is None
        if self._reads.search(instruction):
            return False
        titles_do = self._titles_do.search(instruction) is not None
        if name.titled and titles_do:
            return True
        if self._subjects.search(instruction) or self._explains.search(instruction):
            # "Discuss the limitations of the given study" reads that study.
            return not name.titled or OF_WORK.search(instruction) is None
        # "Lab results" is no input for "Given these lab results, …".
        repeated = name.word in nouns_of(instruction) and self.is_at_hand(instruction)
        return name.bare and (titles_do or not repeated)

    def _is_meant(self, name: SourceName, wanted: Mapping[str, str], instruction: str) -> bool:
        """Whether a name that may be a topic, such as "Chest X-ray", is a source in this task."""
        if self.spares(instruction) or self._explains.search(instruction):
            return False
        if name.noun == "recording":
            return self._is_recording(name, wanted, instruction)
        if name.noun == "particular":
            described = name.word == "description" and self._is_worked_on(instruction)
            given = self._is_given(name.word, instruction)
            return described or (given and not instruction.startswith("Provide"))
        return self._is_title(name, wanted, instruction)

    def _is_title(self, name: SourceName, wanted: Mapping[str, str], instruction: str) -> bool:
        """Whether a text in the form of a title is one, because the task reads a publication."""
        sure = not name.unlabelled or (
            self._answers.search(instruction) is None and self._speaks_of_work(wanted)
        )
        return (
            sure
            and self._is_read(name, wanted, instruction)
            and self._titles_do.search(instruction) is None
        )

    def _is_recording(self, name: SourceName, wanted: Mapping[str, str], instruction: str) -> bool:
        """Whether the task is about what a recording shows, and not about a kind of test."""
        if name.word == "test":  # its name is enough for most tasks, but holds no result
            topical = self._subjects.search(instruction) is not None
            return not topical and RESULTS_OF_TEST.search(instruction) is not None
        if self._is_read(name, wanted, instruction):
            return True
        if name.word in self._tests or self._processes.search(instruction) is None:
            return False
        pictured = name.word in self._pictures and self._is_worked_on(instruction)
        return pictured or self._is_given(name.word, instruction)

    def _is_read(self, name: SourceName, wanted: Mapping[str, str], instruction: str) -> bool:
        """Whether the instruction means such a source, and needs its content."""
        return (
            self._is_wanted(name, wanted, instruction)
            and self._reads.search(instruction) is not None
            and self._subjects.search(instruction) is None
        )

    def _is_worked_on(self, instruction: str) -> bool:
        """Whether the task works on something, and not on a thing whose name is enough."""
        processes, things = self._processes.search(instruction), self._things.search(instruction)
        return processes is not None and things is None

    def _speaks_of_work(self, wanted: Mapping[str, str]) -> bool:
        """Whether the instruction surely means a publication, which may have a title."""
        unsure = {"review"} | ({"study"} if "case" in wanted else set())  # "Review this case study"
        return any(kind == "work" and noun not in unsure for noun, kind in wanted.items())

    def _is_given(self, word: str, instruction: str) -> bool:
        """Whether the instruction speaks of one such thing, as in "given an X-ray"."""
        given = re.compile(
            r"\b(?:given|based on|from|using|following|provided|this|the) "
            rf"(?:[\w'’-]+ ){{0,3}}{re.escape(word)}"
        )
        return given.search(instruction.lower()) is not None

    def _is_short_text(self, name: SourceName, wanted: Mapping[str, str]) -> bool:
        """Whether the name may itself be the sentence or the headline that the task is about."""
        texts = {noun for noun, kind in wanted.items() if kind != "particular"}
        return bool(texts) and texts <= self._short_texts and name.word not in self._short_texts

    def _is_the_text(self, wanted: Mapping[str, str], instruction: str) -> bool:
        """Whether a sentence about a work is itself the text that the instruction means."""
        texts = self._texts.intersection(wanted)
        others = any(wanted[noun] in {"work", "recording"} for noun in wanted if noun not in texts)
        return bool(texts) and not others and self._results.search(instruction) is None
