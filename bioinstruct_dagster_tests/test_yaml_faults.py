"""From an error of pydantic to a field and a sentence that says what to do."""

import datetime as dt
from typing import Annotated, Any, Literal

import pydantic
import pytest
from pydantic import Field

from bioinstruct_dagster.yaml_faults import FieldFaultsError, faults_of, suggestion
from bioinstruct_dagster.yaml_files import StrictModel, text_of_form
from bioinstruct_dagster.yaml_lines import REFUSED_VALUE, YamlDocument


class Circle(StrictModel):
    """One kind of shape."""

    kind: Literal["circle"]
    radius: float = Field(gt=0, strict=True, description="in metres")


class Square(StrictModel):
    """Another one."""

    kind: Literal["square"]
    circle: str = "named as the other kind's tag"
    corners: tuple[Annotated[int, Field(strict=True)], ...] = Field((), max_length=4)


class Choice(StrictModel):
    """Half of a value that may be text too."""

    index: int

    @pydantic.model_validator(mode="after")
    def _not_negative(self) -> "Choice":
        if self.index < 0:
            raise ValueError("must not be negative; count from 0")
        return self


SmallName = Annotated[str, text_of_form("[a-z]+", "must be small letters")]


class Drawing(StrictModel):
    """Everything that a file of the project is made of."""

    shapes: tuple[Annotated[Circle | Square, Field(discriminator="kind")], ...] = ()
    named: dict[str, Circle] = Field(default_factory=dict)
    answer: Annotated[str, Field(strict=True)] | Choice | None = None
    texts: str | tuple[str, ...] = ""
    pair: tuple[int, int] = (0, 0)
    on: bool = True
    sized: dict[SmallName, int] = Field(default_factory=dict)
    rank: int = Field(1, ge=1, le=99)
    day: dt.date | None = None
    size: Literal["small", "large"] = "small"

    @pydantic.model_validator(mode="after")
    def _round(self) -> "Drawing":
        FieldFaultsError.refuse(
            (("shapes", at, "radius"), "is too large; make it smaller")
            for at, one in enumerate(self.shapes)
            if isinstance(one, Circle) and one.radius > 9
        )
        return self


def faults(content: Any) -> dict[str, str]:
    with pytest.raises(pydantic.ValidationError) as raised:
        Drawing.model_validate(content)
    found = faults_of(raised.value, Drawing)
    assert all(fault.line is None for fault in found)
    stated = {".".join(map(str, fault.place)): fault.message for fault in found}
    assert len(stated) == len(found)
    return stated


CIRCLE = {"kind": "circle", "radius": 1.0}
FIELDS = ", ".join(Drawing.model_fields)
MOST = "must be at most 1000000000"
NUMBER = "must be a number"
M = " (in metres)"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            {"size": "smal"},
            {"size": "must be one of small, large, not 'smal'; did you mean 'small'?"},
        ),
        ({"size": 5}, {"size": "must be one of small, large, not 5"}),
        ({"szie": "small"}, {"szie": "unknown key 'szie'; did you mean 'size'?"}),
        (
            {"colour": 1},
            {
                "colour": "unknown key 'colour'; use one of: "
                "shapes, named, answer, texts, pair, on, sized, rank, day, size"
            },
        ),
        ({"on": "maybe"}, {"on": "must be true or false, not 'maybe'"}),
        ({"day": "soon"}, {"day": "must be a date, such as 2026-10-14, not 'soon'"}),
        ({"named": []}, {"named": "must be names with values, such as `name: value`, not a list"}),
        ({"named": {"a": {"kind": "circle"}}}, {"named.a.radius": "missing; add it"}),
        (
            {"named": {"a": CIRCLE | {"radius": "1e3"}}},
            {
                "named.a.radius": "must be a number, not '1e3'; write 1000, without quotes "
                "(in metres)"
            },
        ),
        (
            {"named": {"a": CIRCLE | {"radius": None}}},
            {"named.a.radius": "has no value; it must be a number (in metres)"},
        ),
        (
            {"named": {"a": CIRCLE | {"radius": -1}}},
            {"named.a.radius": "must be greater than 0, not -1 (in metres)"},
        ),
        ({"pair": [1]}, {"pair.1": "missing; add it"}),
        ({"pair": [1, 2, 3]}, {"pair": "has 3 of at most 2 entries; remove some"}),
        ({"pair": [1, 10**30]}, {"pair.1": f"{MOST}, not a number of many digits"}),
        ({"pair": [1, 10**9 + 1]}, {"pair.1": f"{MOST}, not 1000000001"}),
        ({"pair": [True, "1"]}, {
            "pair.0": "must be a whole number, not true",
            "pair.1": "must be a whole number, not '1'; write 1, without quotes",
        }),
        ({"named": {"a": CIRCLE | {"radius": True}}}, {"named.a.radius": f"{NUMBER}, not true{M}"}),
        (
            {"named": {"a": CIRCLE | {"radius": float("nan")}}},
            {"named.a.radius": f"must be a finite number, not nan{M}"},
        ),
        ({"on": 1}, {"on": "must be true or false, not 1"}),
        ({"on": "yes"}, {"on": "must be true or false, not 'yes'"}),
        ({"day": 2026}, {"day": "must be a date, such as 2026-10-14, not 2026"}),
        (
            {"day": "2026-10-14"},
            {
                "day": "must be a date, such as 2026-10-14, not '2026-10-14'; "
                "write 2026-10-14, without quotes"
            },
        ),
        (
            {"day": dt.datetime(2026, 10, 14, 9)},  # noqa: DTZ001  # as YAML reads it
            {"day": "must be a date, such as 2026-10-14, not the time 2026-10-14T09:00:00"},
        ),
        ({"sized": {"A": 1}}, {"sized.A": "'A' must be small letters"}),
        ({"sized": {"[key]": 1}}, {"sized.[key]": "'[key]' must be small letters"}),
    ],
)  # fmt: skip
def test_an_error_becomes_a_field_and_what_to_do(content, expected):
    assert faults(content) == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"index": -1}, {"answer": "must not be negative; count from 0"}),
        ({"indx": 1, "index": 2}, {"answer.indx": "unknown key 'indx'; did you mean 'index'?"}),
        ({}, {"answer.index": "missing; add it"}),
        (
            5,
            {
                "answer": "must be text or names with values, such as `name: value`, "
                "but YAML reads it as 5; put it in quotes if it is text"
            },
        ),
        (
            False,
            {
                "answer": "must be text or names with values, such as `name: value`, but YAML "
                "reads it as false, as a bare yes, no, on or off; put it in quotes if it is text"
            },
        ),
        (
            dt.date(2026, 10, 14),
            {
                "answer": "must be text or names with values, such as `name: value`, but YAML "
                "reads it as the date 2026-10-14; put it in quotes if it is text"
            },
        ),
    ],
)
def test_of_several_kinds_the_one_that_was_meant_speaks(answer, expected):
    assert faults({"answer": answer}) == expected


def test_a_list_or_one_text_is_followed_into_the_list():
    assert list(faults({"texts": ["a", 5]})) == ["texts.1"]
    assert faults({"texts": {}}) == {
        "texts": "must be text or a list, such as [one, two], not a mapping"
    }


def test_a_tag_that_is_also_a_key_is_not_part_of_the_field():
    assert faults({"shapes": [{"kind": "square", "circle": 5, "cornesr": 1}]}) == {
        "shapes.0.circle": "must be text, but YAML reads it as 5; put it in quotes if it is text",
        "shapes.0.cornesr": "unknown key 'cornesr'; did you mean 'corners'?",
    }


def test_an_unknown_kind_lists_the_kinds_and_other_faults():
    assert faults({"shapes": [CIRCLE, {"kind": "cricle", "radius": 0}, {"radius": 1}]}) == {
        "shapes.1.kind": "must be one of circle, square, not 'cricle'; did you mean 'circle'?",
        "shapes.1.radius": "must be greater than 0, not 0 (in metres)",
        "shapes.2.kind": "missing; add one of: circle, square",
    }
    assert faults({"shapes": [{"kind": ["circle"]}]}) == {
        "shapes.0.kind": "must be one of circle, square, not a list"
    }


def test_faults_of_fields_below_a_model_keep_their_place():
    large = CIRCLE | {"radius": 10.0}
    assert faults({"shapes": [CIRCLE, large, large]}) == {
        f"shapes.{at}.radius": "is too large; make it smaller" for at in (1, 2)
    }


def test_a_list_is_not_called_short_for_its_entries_faults():
    class Few(StrictModel):
        numbers: tuple[int, ...] = Field(min_length=2)

    with pytest.raises(pydantic.ValidationError) as raised:
        Few.model_validate({"numbers": ["x", 1]})
    assert [fault.place for fault in faults_of(raised.value, Few)] == [("numbers", 0)]
    with pytest.raises(pydantic.ValidationError) as raised:
        Few.model_validate({"numbers": [1]})
    (fault,) = faults_of(raised.value, Few)
    assert fault.message == "has 1 of at least 2 entries; add some"


def test_a_value_whose_text_was_refused_has_no_second_fault():
    assert faults(
        {"size": REFUSED_VALUE, "answer": REFUSED_VALUE, "pair": [1, REFUSED_VALUE], "x": 1}
    ) == {"x": "unknown key 'x'; use one of: " + FIELDS}
    assert faults({"shapes": [{"kind": REFUSED_VALUE}], "y": 1}).keys() == {"y"}


@pytest.mark.parametrize(
    ("value", "advice"),
    [
        ("'4'", "write 4, without quotes"),
        ("4.0", "write 4"),
        ("'4.0'", "write 4, without quotes"),
        ("'1_0'", "write 10, without quotes"),
        ("'0x10'", "write 16, without quotes"),
        ("'4e1'", "write 40, without quotes"),
        ("010", "write 10, without quotes"),
        ("1:30", "write it in digits, without quotes"),
        ("four", "write it in digits, without quotes"),
        ("'0'", "it must be at least 1, not 0"),
        ("100.0", "it must be at most 99, not 100"),
        ("'1e30'", ""),
        ("3e-4", ""),
        ("'3e-4'", ""),
        (".inf", ""),
    ],
)
def test_a_number_that_is_advised_is_accepted(value, advice):
    said = faults(YamlDocument(f"rank: {value}", "id").content)["rank"]
    assert said.partition("; ")[2] == advice
    if advice.startswith("write") and "digits" not in advice:
        number = advice.removeprefix("write ").partition(",")[0]
        assert Drawing.model_validate(YamlDocument(f"rank: {number}", "id").content).rank


@pytest.mark.parametrize("written", ["1e308", "1e+308", "1e22", "0.1", "3e-4", "1:30", "1e400"])
def test_advice_about_any_number_can_be_followed(written):
    quoted = faults({"named": {"a": CIRCLE | {"radius": written}}})["named.a.radius"]
    assert quoted.startswith(f"must be a number, not {written!r}; write ")
    number = quoted.partition("; write ")[2].partition(",")[0]
    if number != "it in digits":
        content = YamlDocument(f"{{kind: circle, radius: {number}}}", "id").content
        assert Circle.model_validate(content).radius == float(written)


def test_a_whole_number_too_large_is_not_advised():
    said = faults({"pair": [1, "9" * 30]})["pair.1"]
    assert said.endswith("; it must be at most 1000000000")


def test_a_long_value_is_shown_in_part():
    said = faults({"size": "x" * 1000})["size"]
    assert said == f"must be one of small, large, not {'x' * 60 + '...'!r}"
    assert faults({"size": 10**5000})["size"].endswith("not a number of many digits")


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("modle", "did you mean 'model'?"),
        ("MODEL", "did you mean 'model'?"),
        ("zzz", "use one of: model, share"),
    ],
)
def test_a_word_is_answered_with_the_nearest_one_or_all(word, said):
    assert suggestion(word, ["model", "share"]) == said
    assert suggestion(word, []) == "remove it"
