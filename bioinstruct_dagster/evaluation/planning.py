"""What has to be asked: adapters by base model, all questions, and which results are stored.

Belongs here: the plan of a run, from the store and the files. Does not: asking
(evaluation.evaluate), or scores (evaluation.scoring).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bioinstruct_dagster.evaluation.cache import stored
from bioinstruct_dagster.evaluation.questions import Questions, TaskQuestions, questions_of
from bioinstruct_dagster.evaluation.selection import ChosenTask, ChosenTasks
from bioinstruct_dagster.evaluation.spec import AdapterSpec, BaseSpec
from bioinstruct_dagster.evaluation.tasks.item_results import BASE, ItemResult
from bioinstruct_dagster.evaluation.tasks.keys import Conditions, item_key
from bioinstruct_dagster.models.experiments import BaseModelSpec, Experiment, Recipe
from bioinstruct_dagster.models.experiments.names import partition_key
from bioinstruct_dagster.models.precision import Quantization
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.fingerprints import canonical_json

QUESTIONS, PARTS = "evaluation/questions", "evaluation/parts"  # folders in the data folder


@dataclass(frozen=True)
class StoredAdapter:
    """An adapter to score, as the store and the experiment file name it.

    Attributes:
        experiment: its base model and recipe.
        base: the base model in the experiment file.
        recipe: in the experiment file.
        folder: of the adapter, in the data folder as it is now.
        content: the hash of its weights and config.
        row: of the table `lora_adapter`.
    """

    experiment: Experiment
    base: BaseModelSpec
    recipe: Recipe
    folder: Path
    content: str
    row: Mapping[str, Any]

    @property
    def quantization(self) -> Quantization:
        """How its base model is loaded: as for training, so that its logits are those of then."""
        return self.recipe.quantization

    @property
    def group(self) -> str:
        """What must be equal so that two adapters can share the base model and its results."""
        base = self.base.model_dump(mode="json", exclude={"training", "hyperparameters", "licence"})
        made_on = [self.row["base_fingerprint"], self.row["prompt_version"]]
        return canonical_json([base, self.quantization, made_on])


@dataclass
class BasePlan:
    """A base model, its adapters, and what they are asked.

    Attributes:
        adapters: at least one.
        chosen: the tasks with their items.
        conditions: what the keys cover besides items and adapters.
        questions: of all tasks; after `look_up`, with what is missing in the store.
    """

    adapters: list[StoredAdapter]
    chosen: ChosenTasks
    conditions: Conditions
    questions: Questions
    _keys: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(
        cls, adapters: Sequence[StoredAdapter], chosen: ChosenTasks, settings: Settings
    ) -> "BasePlan":
        """The plan for adapters of one group.

        Args:
            adapters: that share the base model.
            chosen: the tasks.
            settings: the seed of the orders of options, and what generates answers.
        """
        first = adapters[0]
        conditions = Conditions(
            base_fingerprint=first.row["base_fingerprint"],
            quantization=first.quantization,
            prompt_version=first.row["prompt_version"],
            dtype=first.base.dtype,
            context=first.base.context,
            seed=settings.runs.seed,
            answer_engine=settings.evaluation.answer_engine,
            answers=settings.evaluation.answers,
        )
        tasks = [TaskQuestions(one.task, one.items) for one in chosen.tasks]
        return cls(list(adapters), chosen, conditions, questions_of(tasks, conditions))

    def keys(self, subject: str) -> list[str]:
        """The keys of a subject's results, in the order of the questions."""
        if subject not in self._keys:
            found = [item_key(key, subject) for key in self.questions.keys.values()]
            self._keys[subject] = found
        return self._keys[subject]

    def keys_of_task(self, subject: str, task: str) -> list[str]:
        """The keys of a subject's results of one task."""
        pairs = zip(self.questions.keys, self.keys(subject), strict=True)
        return [key for question, key in pairs if question.task == task]

    def look_up(self, store: Store) -> None:
        """Find out which results the store lacks, or has in another precision than the others."""
        subjects = [BASE, *dict.fromkeys(one.content for one in self.adapters)]
        known = {one: stored.precisions(store, self.keys(one)) for one in subjects}
        counts = Counter(precision for found in known.values() for precision in found.values())
        precision = max(counts, key=counts.__getitem__, default="")
        places: dict[str, tuple[list[int], list[int]]] = {}
        for subject in subjects:
            of_subject: tuple[list[int], list[int]] = ([], [])
            for place, key in enumerate(self.keys(subject)):
                usable = known[subject].get(key) == precision
                of_subject[usable].append(place)
            places[subject] = of_subject
        self.questions = replace(
            self.questions,
            missing={subject: lacking for subject, (lacking, _) in places.items()},
            known={subject: there for subject, (_, there) in places.items()},
            precision=precision,
        )

    def counts(self) -> tuple[int, int]:
        """How many results are stored, and how many are missing."""
        known, missing = self.questions.known, self.questions.missing
        return sum(map(len, known.values())), sum(map(len, missing.values()))

    def lacking(self) -> list[StoredAdapter]:
        """The adapters that can't be scored before something is asked."""
        if self.questions.missing[BASE]:
            return self.adapters
        return [one for one in self.adapters if self.questions.missing[one.content]]

    def spec(self, questions: Path, settings: Settings) -> BaseSpec:
        """The specification for the model process.

        Args:
            questions: the folder of the questions.
            settings: the data folder, and how much is computed at once.
        """
        first = self.adapters[0]
        return BaseSpec(
            base=first.base,
            quantization=first.quantization,
            conditions=self.conditions,
            models_dir=str(settings.store.data_dir / "models"),
            questions_path=str(questions),
            results_dir=str(settings.store.data_dir / PARTS),
            adapters=tuple(
                AdapterSpec(
                    experiment=partition_key(one.experiment),
                    adapter_path=str(one.folder),
                    content=one.content,
                    recipe=one.recipe,
                    adapter_sha256=one.row["adapter_sha256"],
                )
                for one in self.lacking()
            ),
            tokens_per_pass=settings.evaluation.tokens_per_pass,
            rows=settings.evaluation.answer_rows,
        )

    def results(
        self, store: Store, subject: str, chosen: ChosenTask
    ) -> dict[str, list[ItemResult]]:
        """A subject's results of a task by item; an item without a result is not there."""
        keys = self.keys_of_task(subject, chosen.task.name)
        found = stored.results(store, keys)
        by_item: dict[str, list[ItemResult]] = {}
        for key in keys:
            if one := found.get(key):
                by_item.setdefault(one.item_id, []).append(one)
        return by_item


def by_base(adapters: Iterable[StoredAdapter]) -> list[list[StoredAdapter]]:
    """Adapters that share their base model's results, together."""
    groups: dict[str, list[StoredAdapter]] = {}
    for one in adapters:
        groups.setdefault(one.group, []).append(one)
    return list(groups.values())
