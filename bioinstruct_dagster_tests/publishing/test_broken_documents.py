"""A document that can't be read is a reason against publishing, which names the file."""

import pytest

from bioinstruct_dagster.models.adapters import CONFIG_FILE
from bioinstruct_dagster.publishing.broken_documents import header_of
from bioinstruct_dagster.publishing.hub.repository import HubRepository
from bioinstruct_dagster.publishing.plans import NotPublishableError, adapter_plan, dataset_plan
from bioinstruct_dagster_tests.dataset.test_older_results import NEW, placed
from bioinstruct_dagster_tests.publishing.made_adapter import EXPERIMENT, made_adapter, made_matrix
from bioinstruct_dagster_tests.publishing.made_dataset import licensed, made_dataset

SPOILT_HEADER = b"---\nlicense: [cc-by-4.0\ntags: {\n---\n\n# A set\n"


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("croissant.json", b"{broken", "no JSON: Expecting property name"),
        ("croissant.json", b"[]", "another form than the project wrote"),
        ("croissant.json", b'{"distribution": [{"@type": "cr:FileObject"}]}', "another form"),
        ("README.md", b"---\nlicense: mit\n---\n\xff", "no UTF-8 text from byte 22 on"),
        ("README.md", SPOILT_HEADER, "no YAML: "),
        ("README.md", b"# A set\n", "does not begin with a YAML header"),
        ("README.md", b"---\na word\n---\n", "is no YAML mapping"),
        ("datasheet.md", b"\xff", "no UTF-8 text from byte 1 on"),
    ],
)
def test_a_broken_document_of_a_set_is_named_once(
    store, settings, hugging_face, name, content, fault
):
    chosen = licensed(settings)
    path = made_dataset(store, chosen).path / name
    path.write_bytes(content)
    plan = dataset_plan(store, chosen, HubRepository("lab/set", "dataset"), checks=())
    (refusal,) = [one for one in plan.refusals if "can't be read" in one]
    assert refusal.startswith(f"{path} can't be read: ")
    assert fault in refusal
    assert refusal.endswith("materialize key:hf_dataset and key:dataset_figures again.")
    assert not any("names the licence" in one for one in plan.refusals)
    with pytest.raises(NotPublishableError, match=name):
        plan.push(print)


@pytest.mark.parametrize(
    ("pattern", "content", "fault", "advice"),
    [
        (CONFIG_FILE, b"{", "no JSON", "key:lora_adapter"),
        (CONFIG_FILE, b"3", "another form", "key:lora_adapter"),
        ("README.md", b"\xff", "no UTF-8", "key:lora_adapter"),
        ("README.md", SPOILT_HEADER, "no YAML", "key:lora_adapter"),
        (".eval_results/medqa.yaml", b"{", "no YAML", "materialize key:eval_scores"),
        (".eval_results/medqa.yaml", b"", "another form", "materialize key:eval_scores"),
    ],
)
def test_a_broken_document_of_an_adapter_is_named(
    store, settings, tmp_path, pattern, content, fault, advice
):
    store.replace({"hf_dataset": placed(NEW)})
    matrix = made_matrix(tmp_path)
    path = made_adapter(store, settings, matrix, NEW) / pattern
    path.write_bytes(content)
    to = HubRepository("lab/smol", "model")
    plan = adapter_plan(EXPERIMENT, store, settings, matrix, to, checks=())
    (refusal,) = plan.refusals
    assert refusal.startswith(f"{path} can't be read: ")
    assert fault in refusal
    assert advice in refusal


def test_the_header_of_a_card_is_read():
    assert header_of("---\nlicense: mit\n---\n\n# A set\n") == {"license": "mit"}
