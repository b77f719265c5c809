"""A checkpoint's key changes with whatever changes the run."""

from dataclasses import replace

from bioinstruct_dagster.models.experiments import Recipe
from bioinstruct_dagster.training.loop.run_key import run_key
from bioinstruct_dagster_tests.training.loop.tiny_training import (
    RECIPE,
    loaded,
    rows,
    tiny_model,
    weights_of,
    with_adapter,
)


def test_the_key_changes_with_all_that_determines_the_run(one_thread):
    import torch

    recipe = Recipe(**RECIPE)
    model = with_adapter(tiny_model("float32"), recipe)
    base, weights, train = loaded(model.get_base_model()), weights_of(model), rows(4)

    def key(weights=weights, base=base, split=(train, []), recipe=recipe, seed=1, execution=(1,)):
        return run_key(weights, base, split, recipe, seed=seed, execution=execution)

    other_weights = {name: weight + (name == min(weights)) for name, weight in weights.items()}
    other_row = replace(train[0], input_ids=[*train[0].input_ids[:-1], 99])
    keys = [
        key(),
        key(weights=other_weights),
        key(base=replace(base, fingerprint="other")),
        key(split=(train[::-1], [])),
        key(split=([other_row, *train[1:]], [])),
        key(split=([replace(train[0], prompt_tokens=1), *train[1:]], [])),
        key(split=(train[:-1], train[-1:])),
        key(recipe=recipe.model_copy(update={"schedule": "linear"})),
        key(seed=2),
        key(execution=(2,)),
    ]
    torch.set_num_threads(2)
    keys.append(key())
    torch.set_num_threads(1)
    assert len(set(keys)) == len(keys)
    assert key() == keys[0]
