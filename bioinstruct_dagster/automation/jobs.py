"""Jobs: the data set, and the experiments, apart, so that nothing spends GPU time unasked."""

import dagster as dg

DATA_SET_SELECTION = dg.AssetSelection.assets("hf_dataset").upstream()
TRAINING_SELECTION = dg.AssetSelection.groups("training", "evaluation")

data_set_job = dg.define_asset_job(
    "data_set",
    selection=DATA_SET_SELECTION,
    description="Seeds to Hugging Face data set.",
)

# For a machine that has cores to spare: each step in a process of its own.
data_set_multiprocess_job = dg.define_asset_job(
    "data_set_multiprocess",
    selection=DATA_SET_SELECTION,
    executor_def=dg.multiprocess_executor,
    description="Seeds to Hugging Face data set, each step in a process of its own.",
)

# Partitioned as its assets are; backfill it to run the whole matrix.
experiment_job = dg.define_asset_job(
    "experiment",
    selection=TRAINING_SELECTION,
    description="LoRA adapter and scores of one base model and recipe.",
)
