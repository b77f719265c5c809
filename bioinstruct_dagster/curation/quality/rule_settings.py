"""The settings that all quality rules have, and the version of a rule.

Belongs here: these settings, their validation, and the types of their values. Does not: the
settings of one kind of rule (rules, output_rules), or reading the file (rules).
"""

from typing import Annotated, ClassVar, Literal

import pydantic
from pydantic import BeforeValidator, StringConstraints

from bioinstruct_dagster.curation.gates import TEXT_FIELDS
from bioinstruct_dagster.curation.versions import code_sha256
from bioinstruct_dagster.signs import checked_sign
from bioinstruct_dagster.store.fingerprints import sha256_of
from bioinstruct_dagster.yaml_faults import FieldFaultsError
from bioinstruct_dagster.yaml_files import Identifier, NonEmptyText, StrictModel

RuleAction = Literal["reject", "repair", "flag", "off"]
RowOrigin = Literal["all", "generated", "imported"]
LowerWord = Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, min_length=1)]
LowerWords = tuple[LowerWord, ...]


def _action_name(action: object) -> object:
    # YAML reads a bare `off` as false.
    return "off" if action is False else action


CheckedSign = Annotated[NonEmptyText, pydantic.AfterValidator(checked_sign)]
CheckedSigns = tuple[CheckedSign, ...]


class QualityRule(StrictModel):
    """The settings that all rules have.

    `checked_by` names the function that makes the check of this kind of rule. Its code is part of
    the rule's version.

    Attributes:
        language: the language of the rule's words. A rule with a language does not judge rows in
            another script (see languages).
        rows: which rows the rule judges, by their origin. Self-Instruct's filters sort out what a
            teacher generated badly; a short question of an imported set is no such fault.
    """

    checked_by: ClassVar[str]
    repaired_fields: ClassVar[tuple[str, ...]] = ()  # that rules of this kind can repair
    misses_words: ClassVar[bool] = False  # whether rules of this kind fire if words are missing

    id: Identifier
    what: NonEmptyText
    why: NonEmptyText
    action: Annotated[RuleAction, BeforeValidator(_action_name)]
    language: Literal["en"] | None = None
    rows: RowOrigin = "all"

    @property
    def read_fields(self) -> tuple[str, ...]:
        """The fields of a row that the rule reads."""
        one: tuple[str, ...] = (self.field,) if hasattr(self, "field") else TEXT_FIELDS
        return getattr(self, "fields", one)

    @property
    def version(self) -> str:
        """The hash of the rule's code and settings, without the texts that explain the rule."""
        settings = self.model_dump(mode="json", exclude={"what", "why"})
        return sha256_of([code_sha256(self.checked_by), settings])[:12]

    @pydantic.model_validator(mode="after")
    def _has_possible_action(self) -> "QualityRule":
        field = getattr(self, "field", None)
        if self.action == "repair" and field not in self.repaired_fields:
            message = (
                f"a rule of this kind repairs no {field or 'text'}: the kinds marker and repeated "
                "repair an input, echo an output, opening any field; say reject, flag or off"
            )
            raise FieldFaultsError([(("action",), message)])
        return self
