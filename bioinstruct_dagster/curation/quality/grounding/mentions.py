"""Reads an input part by part as the mention of a material, and finds whether any part is content.

A mention is a noun phrase or a sentence whose head is a noun for a material (a text, results, a
picture, a list) and that says at most what the material is about. Belongs here: this structure.
Does not: what the task demands (demands), what the output tells (overlap), or the words
(words/mentions.yaml, words/sources.yaml).
"""

from bioinstruct_dagster.curation.quality.grounding.mention_signs import (
    AGE,
    ASIDE,
    BLANK_FORM,
    BLANKS,
    CODE,
    COUNTS,
    DATA_SETS,
    ELSEWHERE,
    EXAMPLES,
    FILED,
    INNER_ARTICLES,
    LABEL,
    LEAST_NAME_WORDS,
    LEAST_TITLE_WORDS,
    MENTION_MARKS,
    MOST_COMMAS,
    MOST_FILED_WORDS,
    MOST_FIRST_WORDS,
    MOST_GENERAL_WORDS,
    MOST_HEAD_PLACE,
    MOST_LABEL_CHARS,
    MOST_LABEL_WORDS,
    MOST_NAME_WORDS,
    MOST_NEW_SHARE,
    MOST_TITLE_WORDS,
    NUMBERED,
    OF_WHOM,
    OPENER,
    OPENINGS,
    PHASE,
    PHRASE_MARKS,
    PREPOSITIONS,
    QUANTIFIERS,
    QUOTED,
    RELATIVES,
    RESULTS,
    STAND_IN,
    STEM_LETTERS,
    TALKS,
    WHETHER,
    WHETHERS,
    YEAR,
    Mention,
    mention_list,
    parts_of,
)
from bioinstruct_dagster.curation.quality.grounding.source_names import SUBTITLE
from bioinstruct_dagster.curation.quality.grounding.source_words import (
    TOKEN,
    has_measurement,
    singular,
    source_list,
)
from bioinstruct_dagster.signs import WordTest


class Mentions:
    """Reads inputs as mentions by the word lists."""

    def __init__(self) -> None:
        self._documents = mention_list("documents")
        self._strong = self._documents.union(
            *map(mention_list, ("results", "images", "lists")), source_list("readable")
        )
        self._values = mention_list("results") - {"table", "figure", "number"}
        self._works = mention_list("works")
        self._lists, members = mention_list("lists"), mention_list("members")
        self._labels = self._strong | {"title", "attached", "enclosed", "included", "input"}
        self._contents = self._documents.union(self._lists, members, mention_list("data"))
        self._materials = self._strong | members
        self._members = members - self._strong
        self._verbs = mention_list("takes") | mention_list("judges")
        self._blank_labels = source_list("variables") | mention_list("blank_labels")
        self._carriers = mention_list("carriers")
        small = source_list("articles") | source_list("about") | source_list("joints")
        self._persons = mention_list("persons")
        self._generic = self._materials.union(
            mention_list("generic"),
            small,
            source_list("kinds"),
            source_list("senders"),
            self._carriers,
            self._persons,
        )
        self._forms = self._materials.union(
            (f"{one}s" for one in self._materials),
            (f"{one[:-1]}ies" for one in self._materials if one.endswith("y")),
        )
        self._forms -= {"patient", "patients"}
        self._openings = self._verbs | OPENINGS
        self._after = source_list("about") | self._carriers | RELATIVES | PHRASE_MARKS
        told = source_list("says") | source_list("finding_adjectives")
        self._told = told - self._carriers - {"reported", "diagnosed", "prescribed", "presented"}
        self._sentence = source_list("verbs") - {"taking"}
        # Words that no mention holds.
        self.content = self._told - self._generic - self._forms
        never = {"i", "we", "he", "she", "you", "they", "it", "to", "there", "no", "please"}
        finite = {one for one in self._carriers if one.endswith("s")} - self._forms
        self._finite = finite | self._sentence
        self._not_before = (told - {"reported", "diagnosed", "prescribed"}) | never | finite
        self._kinds_of_test = mention_list("kinds_of_test")
        self._forms_test, self._few_test = WordTest(self._forms), WordTest(COUNTS | ELSEWHERE)

    def read(self, text: str, instruction: str) -> Mention | None:
        """The mention that the input is; None if any part of the input is content.

        Args:
            text: the input.
            instruction: of the task, which a part of the input may repeat.
        """
        found: list[Mention] = []
        for part in parts_of(text):
            if not part.strip(" .\"'“”"):
                continue
            restated = self._restated(part)
            if part.endswith("?") and restated is None:
                continue
            one = restated or self._part(
                WHETHER.sub("", part) if WHETHERS.intersection(part.split()) else part
            )
            if one is not None:
                found.append(one)
            elif not (found and self._repeats(part, instruction)):
                return None
        if not found:
            return None
        bare, blank = all(one.bare for one in found), all(one.blank for one in found)
        noun = found[0].noun
        return Mention(
            noun,
            bare,
            blank,
            is_thing=noun not in self._contents,
            is_sentence=not self._finite.isdisjoint(text.lower().split()),
            is_member=noun in self._members,
        )

    def tells(self, words: list[str]) -> bool:
        """Whether a word of the input tells content, outside what a study is to find out."""
        return not self.content.isdisjoint(words) and WHETHERS.isdisjoint(words)

    def has_sign(self, text: str) -> bool:
        """Whether the text has a word or a mark that a mention has. `may_mention` asks for more."""
        return (
            self._forms_test.may_hold(text)
            or any(mark in text for mark in MENTION_MARKS)
            or (self._few_test.may_hold(text) and len(text.split()) <= MOST_GENERAL_WORDS)
        )

    def may_mention(self, text: str, words: list[str]) -> bool:
        """Whether the text may be a mention. It is quick, and most texts are content.

        Args:
            text: the input.
            words: of the input, in small letters.
        """
        label, colon, body = text.partition(":")
        if colon and len(label) < MOST_LABEL_CHARS and "\n" not in text and "…" not in body:
            named = label.rstrip(" 0123456789").lower().split()
            noun = singular(named[-1]) if named else ""
            if noun not in self._labels and STAND_IN.fullmatch(body) is None:
                return BLANKS.search(text) is not None
        first = words[:MOST_FIRST_WORDS]
        if not self._forms.isdisjoint(first) or '"' in text or BLANKS.search(text) is not None:
            return True
        if len(words) <= MOST_GENERAL_WORDS and (
            words[0] in COUNTS or not ELSEWHERE.isdisjoint(words)
        ):
            return True
        return bool(colon) and all(map(self._is_generic, label.lower().split()))

    def is_plain_name(self, text: str, words: list[str]) -> bool:
        """Whether the text may be the name of a document, and is no sentence or finding."""
        return (
            LEAST_NAME_WORDS <= len(words) <= MOST_NAME_WORDS
            and self._not_before.isdisjoint(words)
            and self._sentence.isdisjoint(words)
            and not has_measurement(text)
            and not any(sign in text for sign in ",;:=?\n")
            and not text.rstrip().endswith((".", "!"))
            and text[:1].isupper()
            and self._persons.isdisjoint(words)
        )

    def _repeats(self, part: str, instruction: str) -> bool:
        """Whether a part tells again what to do."""
        words = part.lower().split()
        if words[0].strip(",:") not in self._verbs or has_measurement(part):
            return False
        known = instruction.lower()
        new = sum(word.strip(".,;:")[:STEM_LETTERS] not in known for word in words)
        return new <= MOST_NEW_SHARE * len(words)

    def _restated(self, part: str) -> Mention | None:
        """A part that repeats the task: "Identify the findings of a report on asthma"."""
        tokens = TOKEN.findall(part.lower())
        if tokens[0] not in self._openings or not self._told.isdisjoint(tokens):
            return None
        if has_measurement(part) or ":" in part:
            return None
        if not self._sentence.isdisjoint(tokens[:4]):
            return None
        rest = tokens[1:]
        noun = next((one for one in map(singular, rest) if one in self._documents), "")
        bare = all(self._is_generic(word) or word in self._verbs for word in rest)
        return Mention(noun, bare) if noun else None

    def _part(self, part: str) -> Mention | None:  # noqa: PLR0911 - one form after the other
        has_blank = BLANKS.search(part) is not None
        if (
            has_blank
            and self._sentence.isdisjoint(part.lower().split())
            and all(map(self._is_generic_or_label, TOKEN.findall(BLANKS.sub(" ", part).lower())))
        ):
            return Mention("form", bare=True, blank=True)
        if (has_blank or "?" in part or "--" in part) and BLANK_FORM.fullmatch(part):
            return Mention("form", bare=True, blank=True)
        if self._phrase_only(part):
            return self._phrase(part)
        if SUBTITLE.fullmatch(part) and self._is_title(part):
            return Mention("study", bare=False)
        quoted = QUOTED.search(part)
        cited = quoted and YEAR.search(part) and self._is_title(quoted.group(0))
        if cited and self._told.isdisjoint(part.lower().split()):
            return Mention("article", bare=False)
        if opened := OPENER.match(part):
            part = part[opened.end() :]
        label = LABEL.fullmatch(part)
        if label and len(label.group(1).split()) <= MOST_LABEL_WORDS:
            return self._labelled(label.group(1), label.group(2).strip())
        return self._phrase(part)

    def _phrase_only(self, part: str) -> bool:
        """Whether a part has neither a label nor a quotation. It is quick, and most have none."""
        return (
            ":" not in part
            and '"' not in part
            and "“" not in part
            and " - " not in part
            and "–" not in part
            and "—" not in part
        )

    def _is_generic_or_label(self, word: str) -> bool:
        return self._is_generic(word) or word in self._blank_labels

    def _labelled(self, label: str, body: str) -> Mention | None:
        words = [singular(one) for one in TOKEN.findall(label.lower())]
        if len(words) > 1 and words[-1].isdigit() and words[0] in NUMBERED:
            words = words[:-1]  # "Table 2: Side effects of antidepressants"
        noun = words[-1] if words else ""
        if STAND_IN.fullmatch(body):
            known = noun in self._materials or all(map(self._is_generic, words))
            return Mention(noun, bare=True, blank=True) if known else None
        if noun != "title" and (noun not in self._strong or noun in self._kinds_of_test):
            return None  # "Procedure: CT scan" names a thing
        named = self._phrase(body)
        if named is not None:
            return named
        titled = noun in self._works or noun in DATA_SETS or words == ["table"]
        if noun in FILED and len(words) > 1 and self._names_one(body):
            return Mention(noun, bare=False)
        if titled and ("case" not in words or noun == "report") and self._is_title(body):
            return Mention(noun, bare=False)
        return None

    def _names_one(self, body: str) -> bool:
        """Whether the text only names one thing, such as an operation."""
        words = body.lower().rstrip(".").split()
        return len(words) <= MOST_FILED_WORDS and all(
            word.isalpha() and word not in self._told and word not in self._sentence
            for word in words
        )

    def _is_title(self, body: str) -> bool:
        """Whether the text may be a title: no figures, no enumeration, and no sentence."""
        bare = body.strip(" .\"“”'")
        words = bare.lower().split()
        return (
            LEAST_TITLE_WORDS <= len(words) <= MOST_TITLE_WORDS
            and self._persons.isdisjoint(words[:3])
            and AGE.match(words[0]) is None
            and sum(map(str.isdigit, (one[0] for one in words))) <= 1
            and not has_measurement(bare)
            and bare.count(",") < MOST_COMMAS
            and self._sentence.isdisjoint(words)
            and self._told.isdisjoint(words)
        )

    def _phrase(self, part: str) -> Mention | None:  # noqa: PLR0911 - one form after the other
        """A noun phrase whose head is a material, perhaps with a verb that tells its topic."""
        if has_measurement(part) or part.endswith("?"):
            return None
        tokens = TOKEN.findall(PHASE.sub(r"\1", part).lower())
        place = self._head_place(tokens)
        if place < 0:
            return self._general(tokens)
        before, rest = tokens[:place], tokens[place + 1 :]
        if any(one in INNER_ARTICLES for one in before[1:] if before[0] not in QUANTIFIERS):
            return None  # "John sent a letter" is a sentence
        noun = singular(tokens[place])
        # A figure counts what follows: "15 new cases", but not "12-lead ECG".
        if not self._not_before.isdisjoint(before) or any(map(str.isdigit, before)):
            return None
        bare = all(map(self._is_generic, before)) and all(map(self._is_generic, rest))
        if bare:
            return Mention(noun, bare=True)
        if noun in self._members and tokens[place] == noun:
            return None  # "A disease of the thyroid"
        return Mention(noun, bare=False) if self._leaves_topic(noun, rest, part) else None

    def _general(self, tokens: list[str]) -> Mention | None:
        """Words that are all general: "A code and a diagnosis", "A dose of a medicine"."""
        words = [one for one in tokens if one == "a" or (len(one) > 1 and not one.isdigit())]
        if not words or len(words) > MOST_GENERAL_WORDS or not all(map(self._is_generic, words)):
            return None
        persons = not self._persons.isdisjoint(words)
        if persons and not ELSEWHERE.isdisjoint(words):
            return Mention(
                "record", bare=True, blank=True
            )  # "The patient from the previous message"
        if len(words) < len(tokens):
            return None
        nouns = [singular(one) for one in words if singular(one) in self._materials]
        nouns = [one for one in nouns if one not in self._persons]
        if nouns:
            return Mention(nouns[0], bare=True)
        counted = words[0] in COUNTS and not persons
        return Mention("thing", bare=True) if counted else None

    def _head_place(self, tokens: list[str]) -> int:
        """The place of the noun of a material at the end of the first noun phrase, or -1."""
        place = -1
        for at, token in enumerate(tokens[:MOST_HEAD_PLACE]):
            if singular(token) in self._materials or token in self._materials:
                place = at
            elif place >= 0:
                if token in {"and", "or"} and not RESULTS.isdisjoint(tokens[at + 2 : at + 4]):
                    continue  # "blood culture and sensitivity results"
                after = tokens[at + 1] if at + 1 < len(tokens) else ""
                if (
                    token in self._after
                    or token in self._sentence
                    or (CODE.fullmatch(token) and tokens[at - 1] not in self._values)
                    or (token.endswith("ed") and after in PREPOSITIONS)  # "filled in by a student"
                ):
                    return place
                place = -1  # "test dose" is no test
            elif token in self._sentence or token in {",", ":", "of", "with", "for", "in", "on"}:
                return -1
        return place if place == len(tokens) - 1 else -1

    def _leaves_topic(self, noun: str, rest: list[str], part: str) -> bool:  # noqa: PLR0911 - one sign of content after the other
        """Whether the words after the noun only give a topic or a person."""
        if noun in self._kinds_of_test or (noun in self._members and rest[:1] not in OF_WHOM):
            return False
        example = next((at for at, token in enumerate(rest) if token in EXAMPLES), len(rest))
        if not all(map(self._is_generic, rest[example:])):
            return False  # "medications including aspirin"
        if "," in rest and noun in self._lists:
            return False
        if rest.count(",") >= MOST_COMMAS and not QUOTED.search(part):
            return False
        if not self._told.isdisjoint(rest):
            return False
        aside = rest[:1] == [","] and (rest[1] in ASIDE or self._is_generic(rest[1]))
        if (
            not aside
            and rest[:1] in (["with"], ["and"], [","])
            and not all(map(self._is_generic, rest))
            and noun not in self._documents
        ):
            return False
        talks_to = noun in TALKS and rest[1:2] in (["a"], ["an"], ["the"])
        if rest[:1] == ["with"] and not talks_to and not all(map(self._is_generic, rest)):
            return False
        # "The report is titled …" names; "the report is long and says" does not.
        verbs = [at for at, token in enumerate(rest) if token in self._sentence]
        return all(
            any(token in self._carriers for token in rest[at + 1 : at + 3])
            or any(token in RELATIVES for token in rest[max(0, at - 2) : at])
            for at in verbs
        )

    def _is_generic(self, word: str) -> bool:
        return (
            word in self._generic
            or singular(word) in self._generic
            or not word[0].isalpha()
            or AGE.fullmatch(word) is not None
        )
