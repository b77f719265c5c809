"""Clusters: which items belong together, and what a cluster is called."""

from hypothesis import given
from hypothesis import strategies as st

from bioinstruct_dagster.eval_sets.clusters import cluster_names


def test_items_that_share_a_value_form_a_cluster():
    assert cluster_names([["a"], ["b"], ["a"], []]) == ["a", "", "a", ""]


def test_a_chain_of_items_is_one_cluster():
    assert cluster_names([["n1"], ["n2"], ["n2", "n1"], ["n3"]]) == ["n1", "n1", "n1", ""]


def test_a_passage_is_named_by_its_hash():
    passage = "The patient was given aspirin. " * 9
    names = cluster_names([[passage], [passage], ["other"]])
    assert names[0] == names[1]
    assert len(names[0]) == 16
    assert names[2] == ""


SHARED = st.lists(st.lists(st.sampled_from("abcdefg"), max_size=3), max_size=12)


@given(SHARED)
def test_clusters_are_the_connected_items(shared):
    names = cluster_names(shared)
    groups = [{at} for at in range(len(shared))]
    for at, one in enumerate(shared):
        for other in range(at):
            if set(one) & set(shared[other]) and groups[at] is not groups[other]:
                groups[at] |= groups[other]
                for member in groups[other]:
                    groups[member] = groups[at]
    for at, name in enumerate(names):
        assert (name == "") == (len(groups[at]) == 1)
        assert all((names[other] == name) for other in groups[at])
        if name:
            assert {other for other, one in enumerate(names) if one == name} == groups[at]


@given(SHARED, st.randoms())
def test_names_do_not_depend_on_the_order_of_items(shared, source):
    order = list(range(len(shared)))
    source.shuffle(order)
    names = cluster_names(shared)
    assert cluster_names([shared[at] for at in order]) == [names[at] for at in order]
