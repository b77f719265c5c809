"""The definitions: they load few modules, and hold the promised assets, checks and partitions."""

import json
import subprocess
import sys

import dagster as dg
import pytest
from dagster_k8s.job import UserDefinedDagsterK8sConfig

from bioinstruct_dagster.definitions import build_defs
from bioinstruct_dagster.models.gpu import GPU_TAGS
from bioinstruct_dagster.settings import PROJECT_ROOT
from bioinstruct_dagster_tests.conftest import CHAIN, REVIEW

TABULAR = [*CHAIN, *REVIEW]  # every asset of the chain has its table
FIGURES = "dataset_figures"  # after hf_dataset
JUDGED = "judged_answers"  # after the chain; its table is judge_scores
FINDINGS = ["leaderboard", "category_ablation", "data_scaling"]  # over all experiments' scores
WORTH = "data_worth"  # beside the chain; a run makes it only if it selects nothing else
REPORT = "study_report"  # after the findings; one file and no table
HEAVY = [
    "torch", "transformers", "peft", "datasets", "accelerate", "tokenizers", "sklearn", "scipy",
    "openai", "aiohttp", "pyarrow", "pandas", "numba", "presidio_analyzer", "spacy", "rouge_score",
    "ray", "sentence_transformers", "duckdb",
]  # fmt: skip
# What loading the definitions imports beside the package itself and what Dagster imports anyway.
# A new name here makes every run, sensor tick and page of the UI start later: see
# `make bench-loading`.
BUDGET = {"numpy", "orjson", "dotenv"}

LIST_MODULES = """
import importlib, json, sys
importlib.import_module(sys.argv[1])
print(json.dumps(sorted(sys.modules)))
"""


def modules_after_import(name):
    """The modules that a fresh interpreter holds after importing this one."""
    command = [sys.executable, "-c", LIST_MODULES, name]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=PROJECT_ROOT)
    return set(json.loads(done.stdout))


@pytest.fixture(scope="module")
def loaded():
    """The modules that loading the definitions imports."""
    return modules_after_import("bioinstruct_dagster.definitions")


def test_loading_stays_within_its_budget_of_packages(loaded):
    added = loaded - modules_after_import("dagster")
    packages = {name.partition(".")[0] for name in added} - sys.stdlib_module_names
    assert packages - {"bioinstruct_dagster", "dagster", "pydantic"} <= BUDGET


@pytest.mark.parametrize("module", HEAVY)
def test_loading_imports_no_heavy_library(loaded, module):
    assert module not in loaded


def test_the_definitions_can_be_loaded(settings):
    dg.Definitions.validate_loadable(build_defs(settings))


def test_the_chain_runs_from_seeds_to_scores(settings):
    graph = build_defs(settings).resolve_asset_graph()
    keys = [key.to_user_string() for key in graph.toposorted_asset_keys]
    chain = [*CHAIN, *REVIEW]
    assert [key for key in keys if key in CHAIN] == CHAIN
    assert keys.index("hf_dataset") > keys.index("review_results")
    assert {*keys} - {*chain} == {FIGURES, JUDGED, *FINDINGS, REPORT, WORTH}


@pytest.mark.parametrize("name", [*CHAIN, *REVIEW, FIGURES, JUDGED, *FINDINGS, REPORT, WORTH])
def test_each_asset_tells_its_story(settings, name):
    node = build_defs(settings).resolve_asset_graph().get(dg.AssetKey(name))
    assert node.description
    assert len(node.description.split()) >= 15
    assert node.kinds
    assert node.owners == ["team:bioinstruct"]
    assert node.code_version
    assert node.group_name in {
        "seeds", "generation", "curation", "review", "dataset", "training", "evaluation",
        "findings",
    }  # fmt: skip


@pytest.mark.parametrize("name", [*TABULAR, FIGURES, *FINDINGS, WORTH])
def test_each_table_has_a_blocking_schema_check(settings, name):
    graph = build_defs(settings).resolve_asset_graph()
    specs = {key.name: graph.get_check_spec(key) for key in graph.asset_check_keys}
    assert specs[f"{name}_schema"].blocking
    assert specs[f"{name}_schema"].asset_key == dg.AssetKey(name)


def test_the_judge_s_scores_have_a_blocking_schema_check_too(settings):
    graph = build_defs(settings).resolve_asset_graph()
    (key,) = [key for key in graph.asset_check_keys if key.name == "judge_scores_schema"]
    assert key.asset_key == dg.AssetKey(JUDGED)
    assert graph.get_check_spec(key).blocking


@pytest.mark.parametrize("name", ["lora_adapter", "eval_scores", JUDGED])
def test_experiments_are_partitions_of_base_model_and_recipe(settings, name):
    node = build_defs(settings).resolve_asset_graph().get(dg.AssetKey(name))
    assert [d.name for d in node.partitions_def.partitions_defs] == ["base_model", "recipe"]
    assert node.partitions_def.get_partition_keys() == [
        "rehearsal-llama|all",
        "rehearsal-llama|information_extraction",
    ]


@pytest.mark.parametrize("name", FINDINGS)
def test_findings_have_no_partitions_and_end_the_job_experiment(settings, name):
    defs = build_defs(settings)
    graph = defs.resolve_asset_graph()
    assert graph.get(dg.AssetKey(name)).partitions_def is None
    assert graph.get(dg.AssetKey(name)).parent_keys == {dg.AssetKey("eval_scores")}
    assert name in {node.name for node in defs.resolve_job_def("experiment").nodes}


def test_the_study_report_follows_the_findings_in_the_job_experiment(settings):
    defs = build_defs(settings)
    node = defs.resolve_asset_graph().get(dg.AssetKey(REPORT))
    assert node.partitions_def is None
    assert node.parent_keys == {dg.AssetKey(name) for name in FINDINGS}
    assert REPORT in {node.name for node in defs.resolve_job_def("experiment").nodes}


def model_step(defs, name):
    if name == "study":
        return defs.resolve_job_def(name).get_node_named("train_and_score").definition
    return defs.resolve_assets_def(name).op


@pytest.mark.parametrize("name", ["lora_adapter", "eval_scores", "study", WORTH])
def test_model_steps_ask_for_a_gpu(settings, name):
    step = model_step(build_defs(settings), name)
    assert step.tags["dagster-k8s/config"]
    assert step.pool == "gpu"


@pytest.mark.parametrize("name", ["lora_adapter", "eval_scores", "study", WORTH])
def test_steps_whose_model_process_has_its_own_pod_only_wait_for_it(settings, name):
    elsewhere = settings.changed(
        compute="kubernetes", exchange_url="s3://bucket/a", kubernetes_image="image"
    )
    step = model_step(build_defs(elsewhere), name)
    assert "dagster-k8s/config" not in step.tags
    assert step.pool == "gpu"


def test_the_gpu_tag_is_one_that_kubernetes_takes():
    config = UserDefinedDagsterK8sConfig.from_dict(GPU_TAGS["dagster-k8s/config"])
    assert config.container_config["resources"]["limits"]["nvidia.com/gpu"] == 1


def test_a_model_added_to_the_experiment_file_becomes_partitions(settings, experiments):
    text = experiments.read_text("utf-8")
    experiments.write_text(
        text.replace("recipes:", "  llama-2-7b: {source: meta-llama/Llama-2-7b-hf}\nrecipes:"),
        "utf-8",
    )
    node = build_defs(settings).resolve_asset_graph().get(dg.AssetKey("lora_adapter"))
    assert "llama-2-7b|all" in node.partitions_def.get_partition_keys()


def test_the_package_itself_loads_without_dagster():
    script = "import sys, bioinstruct_dagster.training.train; print('dagster' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, cwd=PROJECT_ROOT
    )
    assert result.stdout.strip() == "False"
