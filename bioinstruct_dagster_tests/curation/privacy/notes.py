"""Synthetic clinical notes with planted identifiers, from a seeded generator, and their score.

Everything is invented: names, numbers, streets. `notes(seed, half, count)` gives the same notes for
the same seed; the two halves share no sentence and no name.
"""

import random
import re
import string
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.privacy.kinds import KINDS, Span
from bioinstruct_dagster.curation.privacy.scan import scan
from bioinstruct_dagster_tests.curation.privacy.note_sentences import HELD_OUT, TUNE

Half = Literal["tune", "held_out"]
_SLOT = re.compile(r"\{(\w+)\}")
_KIND_OF = {
    "street": "location", "city": "location", "po_box": "location", "zip": "location",
    "old": "age_over_89", "plan": "health_plan", "card": "account", "dea": "license",
    "vin": "vehicle", "plate": "vehicle", "mac": "device", "bio": "biometric",
    "other": "other_id", "uuid": "other_id",
}  # fmt: skip
_NAMES = {
    "tune": (
        ["Harold", "Margaret", "Priya", "Luis", "Chen", "Fatima", "Oleg", "Ruth", "Kwame", "Ingrid",
         "Thomas", "Denise", "Amara", "Pavel"],
        ["Finch", "Abernathy", "Raman", "Ortega", "Zhao", "Haddad", "Petrov", "Blackwood", "Mensah",
         "Lindqvist", "O'Brien", "Castellano", "Okafor", "Novak"],
    ),
    "held_out": (
        ["Walter", "Eleanor", "Rajesh", "Marisol", "Hiroshi", "Leila", "Dmitri", "Beatrice",
         "Chidi", "Astrid", "Gregory", "Yvonne", "Siobhan", "Tadeusz"],
        ["Pemberton", "Whitlock", "Banerjee", "Villanueva", "Tanaka", "Rahimi", "Sokolov",
         "Hargrove", "Eze", "Bergström", "McAllister", "Duval", "Gallagher", "Wójcik"],
    ),
}  # fmt: skip
_STREETS = {
    "tune": (
        "Oak Street",
        "Maple Ave",
        "Birchwood Lane",
        "W. Lincoln Blvd",
        "Harbor View Drive",
        "5th Avenue",
    ),
    "held_out": (
        "Cedar Court",
        "Elm St.",
        "North Willow Rd",
        "Old Mill Road",
        "Sunset Terrace",
        "42nd Street",
    ),
}
_CITIES = {
    "tune": ("Dayton, OH", "Boise, Idaho", "Santa Rosa, CA", "Albany, New York"),
    "held_out": ("Tulsa, OK", "Fargo, North Dakota", "Baton Rouge, LA", "Lowell, Massachusetts"),
}
_ZIPS = {"OH": "45402", "Idaho": "83702", "CA": "95401", "New York": "12207", "OK": "74103",
         "North Dakota": "58102", "LA": "70801", "Massachusetts": "01852"}  # fmt: skip
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip


@dataclass(frozen=True)
class Note:
    """A note, and where its identifiers stand."""

    text: str
    planted: tuple[Span, ...]


class _Values:
    """Values for slots, in the formats in which such things are written."""

    def __init__(self, draw: random.Random, half: Half) -> None:
        self._draw = draw
        self._half = half
        self._given, self._family = (draw.choice(names) for names in _NAMES[half])

    def of(self, slot: str) -> str:
        maker: Callable[[], str] = getattr(self, f"_{slot}")
        return maker()

    def _digits(self, count: int) -> str:
        return "".join(self._draw.choice(string.digits[1:]) for _ in range(count))

    def _letters(self, count: int) -> str:
        return "".join(self._draw.choice("ABCDEFGHJKMNPRSTUVWXY") for _ in range(count))

    def _shape(self, *shapes: str) -> str:
        """9 stands for a digit, A for a letter."""
        shape = self._draw.choice(shapes)
        return "".join(
            self._digits(1) if c == "9" else self._letters(1) if c == "A" else c for c in shape
        )

    def _name(self) -> str:
        middle = self._draw.choice(("", "", f"{self._letters(1)}. "))
        return f"{self._given} {middle}{self._family}"

    def _name_comma(self) -> str:
        return f"{self._family}, {self._given}"

    def _name_upper(self) -> str:
        return f"{self._given} {self._family}".upper()

    def _name_title(self) -> str:
        return f"{self._draw.choice(('Mr.', 'Mrs.', 'Ms.', 'Dr.'))} {self._family}"

    def _x_age(self) -> str:
        return str(self._draw.randint(19, 88))

    def _old(self) -> str:
        return str(self._draw.randint(90, 104))

    def _street(self) -> str:
        city = self._draw.choice(_CITIES[self._half])
        unit = self._draw.choice(("", "", f", Apt {self._digits(1)}B"))
        number = (
            f"{self._digits(self._draw.randint(2, 4))} {self._draw.choice(_STREETS[self._half])}"
        )
        state = city.split(", ")[1]
        return self._draw.choice(
            (number + unit, f"{number}{unit}, {city} {_ZIPS[state]}", f"{number}{unit}, {city}")
        )

    def _city(self) -> str:
        return self._draw.choice(_CITIES[self._half])

    def _po_box(self) -> str:
        return f"{self._draw.choice(('P.O. Box', 'PO Box'))} {self._digits(4)}"

    def _zip(self) -> str:
        return self._shape("99999", "99999-9999")

    def _date(self) -> str:
        month, day = self._draw.randint(1, 12), self._draw.randint(1, 28)
        year, name = self._draw.randint(1931, 2024), _MONTHS[month - 1]
        return self._draw.choice((
            f"{month:02}/{day:02}/{year}", f"{month}/{day}/{year % 100:02}",
            f"{year}-{month:02}-{day:02}",
            f"{name} {day}, {year}", f"{day} {name} {year}", f"{day:02}-{name[:3]}-{year}",
            f"{name[:3]} {day}, {year}", f"{name} {day}",
        ))  # fmt: skip

    def _phone(self) -> str:
        # No area code of a hotline, which is nobody's.
        return self._shape(
            "(699) 999-9999", "299-999-9999", "399.999.9999", "+1 499 999 9999", "599 999 9999",
            "+44 20 7999 9999",
        )  # fmt: skip

    def _fax(self) -> str:
        return self._shape("(699) 999-9999", "799-999-9999", "699.999.9999")

    def _email(self) -> str:
        user = self._draw.choice((
            f"{self._given}.{self._family}", f"{self._given[0]}{self._family}{self._digits(2)}",
            f"{self._family}_{self._digits(3)}",
        )).lower().encode("ascii", "ignore").decode().replace("'", "")  # fmt: skip
        return (
            f"{user}@{self._draw.choice(('gmail.com', 'yahoo.com', 'example.org', 'mail.co.uk'))}"
        )

    def _ssn(self) -> str:
        return self._shape("399-29-9999", "299 59 9999", "419-99-9999", "523999999")

    def _mrn(self) -> str:
        return self._shape("9999999", "99999999", "A999999", "MR-999999", "999-99-99", "00999999")

    def _plan(self) -> str:
        return self._shape(
            "AAA999999999", "999999999-01", "9AA9-AA9-AA99", "A99999999", "W9999 99999"
        )

    def _account(self) -> str:
        return self._shape("9999999999", "99999-9999", "AC9999999", "9999 9999 9999")

    def _card(self) -> str:
        number = self._draw.choice(("4", "5" + self._draw.choice("12345")))
        number += self._digits(15 - len(number))
        total = sum(sum(divmod(int(c) * (2 - i % 2), 10)) for i, c in enumerate(number))
        number += str(-total % 10)
        return self._draw.choice((number, "-".join(number[i : i + 4] for i in range(0, 16, 4))))

    def _license(self) -> str:
        return self._shape("A9999999", "AA999999", "999-999-999", "D999-9999-9999", "99999999")

    def _dea(self) -> str:
        digits = [int(c) for c in self._digits(6)]
        check = (digits[0] + digits[2] + digits[4] + 2 * (digits[1] + digits[3] + digits[5])) % 10
        return f"B{self._letters(1)}{''.join(map(str, digits))}{check}"

    def _vin(self) -> str:
        return self._shape("9AAAA99A9AA999999", "9A9AA99999A999999")

    def _plate(self) -> str:
        return self._shape("AAA-9999", "9AAA999", "AA99 AAA", "AAA 999")

    def _device(self) -> str:
        return self._shape("AA-99999-A", "999999999", "A99A999999", "PM9999999", "SN-9999-9999")

    def _mac(self) -> str:
        return ":".join(
            self._draw.choice(("0A", "1B", "3C", "5E", "7F", "92", "A4")) for _ in range(6)
        )

    def _user(self) -> str:
        return (
            f"{self._given}{self._family}".lower()
            .encode("ascii", "ignore")
            .decode()
            .replace("'", "")
        )

    def _url_blog(self) -> str:
        return self._draw.choice(
            (
                f"https://{self._user()}.blogspot.com/2021/my-surgery",
                f"www.{self._user()}.com",
                f"https://www.{self._user()}.net/about",
            )
        )

    def _url_social(self) -> str:
        return self._draw.choice(
            (
                f"https://www.facebook.com/{self._user()}",
                f"https://www.linkedin.com/in/{self._user()}-{self._digits(3)}",
                f"instagram.com/{self._user()}",
            )
        )

    def _url_portal(self) -> str:
        return self._draw.choice(
            (
                f"https://mychart.example.org/patients/{self._digits(6)}",
                f"http://portal.cityclinic.com/record?id={self._digits(5)}",
            )
        )

    def _ip(self) -> str:
        return self._draw.choice((
            ".".join(str(self._draw.randint(2, 250)) for _ in range(4)),
            f"2001:db8:{self._digits(4)}:85a3:0:{self._digits(1)}:8a2e:{self._digits(4)}",
        ))  # fmt: skip

    def _bio(self) -> str:
        return self._shape("AA-99999", "AAA999999", "9999-AA-99", "99999999")

    def _photo_phrase(self) -> str:
        return self._draw.choice(
            (
                "Full-face photograph",
                "Full face photo of the patient",
                "Facial photograph",
                "Headshot",
            )
        )

    def _photo_file(self) -> str:
        return self._draw.choice(
            (
                f"patient_face_{self._digits(3)}.jpg",
                f"IMG_face_{self._digits(4)}.png",
                f"{self._family.lower()}_portrait.jpeg",
            )
        )

    def _other(self) -> str:
        return self._shape("A99999999", "999999999", "S99-999999", "9999-999-99", "C9999999")

    def _uuid(self) -> str:
        return str(uuid.UUID(int=self._draw.getrandbits(128), version=4))


def notes(seed: int, half: Half, count: int) -> list[Note]:
    """Notes of one half. Every fourth has no identifier, only what looks like one."""
    draw = random.Random(f"{seed} {half}")
    return [_note(draw, half, bare=place % 4 == 3, place=place) for place in range(count)]


def _note(draw: random.Random, half: Half, *, bare: bool, place: int) -> Note:
    sentences = TUNE if half == "tune" else HELD_OUT
    values = _Values(draw, half)
    chosen = [draw.choice(sentences["none"]) for _ in range(draw.randint(2, 4))]
    if bare:
        chosen += [draw.choice(sentences["placeholder"])] * draw.randint(0, 1)
    else:
        kinds = list(KINDS)
        first = kinds[place % len(kinds)]
        others = draw.sample([kind for kind in kinds if kind != first], draw.randint(1, 3))
        chosen += [draw.choice(sentences[kind]) for kind in (first, *others)]
    draw.shuffle(chosen)
    text = ""
    planted: list[Span] = []
    for sentence in chosen:
        text += draw.choice((" ", "\n")) if text else ""
        text = _filled(text, sentence, values, planted)
        text += "" if sentence[-1] in ".!" else draw.choice((".", "\n", ";"))
    return Note(text, tuple(planted))


def _filled(text: str, sentence: str, values: _Values, planted: list[Span]) -> str:
    end = 0
    for slot in _SLOT.finditer(sentence):
        text += sentence[end : slot.start()]
        end, value = slot.end(), values.of(slot[1])
        kind = _KIND_OF.get(slot[1], slot[1].split("_", maxsplit=1)[0])
        if kind in KINDS:
            title = value.index(" ") + 1 if slot[1] == "name_title" else 0
            planted.append(Span(kind, len(text) + title, len(text) + len(value), 1.0))
        text += value
    return text + sentence[end:]


@dataclass
class Counts:
    """What was planted of a kind, and what was found."""

    planted: int = 0
    hit: int = 0  # planted, and covered to its last character by spans of its kind
    found: int = 0
    right: int = 0  # found, and where one of its kind was planted

    @property
    def recall(self) -> float:
        """The share of what was planted that was found."""
        return self.hit / self.planted if self.planted else 1.0

    @property
    def precision(self) -> float:
        """The share of what was found that was planted."""
        return self.right / self.found if self.found else 1.0


def score(written: Sequence[Note]) -> dict[str, Counts]:
    """The counts of each kind, and of all of them under the name "all"."""
    counts = {name: Counts() for name in (*KINDS, "all")}
    for note in written:
        found = scan(RowTexts("", note.text, "")).found[1]
        for span in note.planted:
            hit = any(
                other.kind == span.kind and other.start <= span.start and other.end >= span.end
                for other in found
            )
            for name in (span.kind, "all"):
                counts[name].planted += 1
                counts[name].hit += hit
        for span in found:
            right = any(
                other.kind == span.kind and other.start < span.end and span.start < other.end
                for other in note.planted
            )
            for name in (span.kind, "all"):
                counts[name].found += 1
                counts[name].right += right
    return counts
