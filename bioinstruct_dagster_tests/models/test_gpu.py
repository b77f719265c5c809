"""Which step asks the cluster for a GPU."""

from bioinstruct_dagster.models.gpu import GPU_TAGS, gpu_tags


def test_only_a_step_that_trains_in_its_own_place_asks_for_a_gpu():
    assert gpu_tags("local") == GPU_TAGS
    assert gpu_tags("kubernetes") == gpu_tags("ray") == {}
