"""The join over a real Ray cluster of two nodes, against one process."""

import os
import random
import socket
import sys
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from bioinstruct_dagster.curation.novelty.cluster.driver import (
    check_on_cluster,
    check_sharded,
    order_by_rarity,
)
from bioinstruct_dagster.curation.novelty.cluster.ray_cluster import (
    LOCAL_CLUSTER,
    RayClusterError,
    ray_connection,
    running_actors,
)
from bioinstruct_dagster.curation.novelty.cluster.shard import ShardIndex
from bioinstruct_dagster.curation.novelty.rule import (
    NamedInstruction,
    NoveltyFilter,
    check_in_process,
)
from bioinstruct_dagster.curation.novelty.stored_index import StoredIndex
from bioinstruct_dagster.curation.tokens.vocabulary import Vocabulary
from bioinstruct_dagster.errors import StatedError

MEGABYTES = 1 << 20
GREEK = [
    "ποια",
    "είναι",
    "η",
    "αιτία",
    "του",
    "πυρετού",
    "και",
    "πώς",
    "αντιμετωπίζεται",
    "ο",
    "πόνος",
]
CHINESE = "请解释高血压的病因和治疗方法并列出常见药物的不良反应糖尿病患者应当注意什么"


@pytest.fixture(scope="module")
def cluster():
    """A head and one more node, one processor each."""
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        node = {"num_cpus": 1, "object_store_memory": 80 * MEGABYTES}
        started = Cluster(initialize_head=True, head_node_args={**node, "include_dashboard": False})
        started.add_node(**node)
        yield started.address
        started.shutdown()


def edited(words: list[str], rand: random.Random, vocabulary: list[str]) -> list[str]:
    """The words, some exchanged, added, dropped or moved."""
    words = list(words)
    for _ in range(rand.randrange(0, 2 + len(words) // 2)):
        place = rand.randrange(len(words))
        match rand.randrange(4):
            case 0:
                words[place] = rand.choice(vocabulary)
            case 1:
                words.insert(place, rand.choice(vocabulary))
            case 2 if len(words) > 1:
                del words[place]
            case _:
                words.append(words.pop(place))
    return words


def generated(size: int) -> list[str]:
    """Rewordings in three scripts, ties at exactly 0.7, copies, long and empty texts."""
    rand = random.Random(11)
    latin = [f"w{number}" for number in range(120)]
    texts = ["", "...", "one", "One!", "one one", "a b c d e f g", "a b c d e f g h i j k l m"]
    texts += [" ".join(f"t{n}" for n in range(21)), " ".join(f"t{n}" for n in range(37))]
    while len(texts) < size:
        kind = rand.random()
        vocabulary, joint = (
            (latin, " ") if kind < 0.7 else (GREEK, " ") if kind < 0.85 else (list(CHINESE), "")
        )
        longest = rand.choice([4, 12, 12, 24, 24, 60, 150])
        words = rand.choices(vocabulary, k=rand.randrange(1, longest))
        for _ in range(rand.randrange(1, 9)):
            words = edited(words, rand, vocabulary)
            mixed = [*words, "mg", "12"] if rand.random() < 0.2 else words
            texts.append(joint.join(mixed))
            if rand.random() < 0.1:
                texts.append(rand.choice(texts))
            if rand.random() < 0.2:  # 7 of 7 and 13 tokens, as rouge_score rounds it
                texts.append(" ".join((words * 13)[:7]))
                texts.append(" ".join([*(words * 13)[:7], *rand.choices(latin, k=6)]))
    rand.shuffle(texts)
    return texts[:size]


def test_two_nodes_keep_what_one_process_keeps(cluster):
    seeds, texts = generated(60)[:40], generated(3_000)
    alone = NoveltyFilter(
        [NamedInstruction(str(i), seed) for i, seed in enumerate(seeds)]
    ).check_texts(texts)
    together = check_sharded(seeds, texts, 2, cluster, block=700)
    assert 500 < np.count_nonzero(together.novel) < 2_500
    assert np.count_nonzero(together.second & ~together.novel) > 50
    assert all(np.array_equal(a, b) for a, b in zip(together, alone, strict=True))
    whole = check_sharded(seeds, texts, 1, cluster, block=10_000)
    assert all(np.array_equal(a, b) for a, b in zip(whole, together, strict=True))


def test_no_texts_give_no_verdicts(cluster):
    assert [len(part) for part in check_sharded(["a b c"], [], 1, cluster)] == [0, 0, 0, 0]


@given(st.lists(st.lists(st.sampled_from("abcdefg"), max_size=9), max_size=14), st.integers(1, 4))
def test_shards_together_list_each_similar_pair_of_a_block(words, shards):
    texts = [" ".join(text) for text in words]
    vocabulary = Vocabulary()
    encoded = vocabulary.encode(texts)
    order = order_by_rarity(vocabulary, encoded)
    found = {}
    for k in range(shards):
        pairs = ShardIndex(order, 0.7, (k, shards)).take_block(encoded)
        found |= {
            (first, second): score
            for first, second, score in zip(*(part.tolist() for part in pairs), strict=True)
        }
    scorer = RougeScorer(["rougeL"])
    expected = {}
    for second, text in enumerate(texts):
        for first, other in enumerate(texts[:second]):
            score = scorer.score(other, text)["rougeL"].fmeasure
            if score > 0.7 and other not in texts[:first]:  # copies stand in nobody's way
                expected[first, second] = score
    assert found == expected


# In a process of its own: Ray can't go back to another cluster in a process that started one.
CHECK_LOCALLY = """
import os, ray
from bioinstruct_dagster.curation.novelty.cluster.driver import check_sharded
checked = check_sharded(["Name the bones of the hand."], ["Name the bones of a hand."], 1, "local")
print(checked.novel.tolist(), checked.nearest.tolist(), ray.is_initialized())
print(os.environ["RAY_USAGE_STATS_ENABLED"])
"""


def test_a_local_cluster_is_ended_after_the_work(start_python):
    output, error = start_python(CHECK_LOCALLY).communicate()
    assert output.split("\n") == ["[False] [0] False", "0", ""], error


def test_too_few_processors_are_refused(cluster):
    with pytest.raises(RayClusterError, match=r"has 2 processors, and 3 workers need one each"):
        check_sharded([], ["a"], 3, cluster)


def test_an_address_where_nothing_listens_is_refused():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(RayClusterError, match=rf"BIOINSTRUCT_RAY_ADDRESS.*{address}.*extra `ray`"):
        check_sharded([], ["a"], 1, address)


@pytest.mark.parametrize("address", ["nowhere", "here:there", "http://"])
def test_a_malformed_address_is_refused(address):
    with pytest.raises(RayClusterError, match=f"BIOINSTRUCT_RAY_ADDRESS.*{address}.*host:port"):
        check_sharded([], ["a"], 1, address)


def test_without_ray_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(RayClusterError, match=r"BIOINSTRUCT_RAY_ADDRESS.*\[ray\]"):
        check_sharded([], ["a"], 1, LOCAL_CLUSTER)


@pytest.mark.parametrize("kind", ["ImportError", "OSError", "AttributeError"])
def test_a_broken_ray_is_named_with_its_extra(monkeypatch, tmp_path, kind):
    source = f"raise {kind}('libray.so: cannot open shared object file')"
    (tmp_path / "ray.py").write_text(source, "utf-8")
    monkeypatch.delitem(sys.modules, "ray", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(RayClusterError, match=r"libray\.so: cannot open.*\[ray\]"):
        check_sharded([], ["a"], 1, LOCAL_CLUSTER)


def test_a_folder_that_ray_left_behind_is_no_ray(monkeypatch, tmp_path):
    (tmp_path / "ray").mkdir()
    monkeypatch.delitem(sys.modules, "ray", raising=False)
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(RayClusterError, match="Ray is not installed"):
        check_sharded([], ["a"], 1, LOCAL_CLUSTER)


class Failing:
    """An actor whose node dies, or which has something to say to the user."""

    def die(self) -> None:
        os._exit(1)

    def complain(self) -> None:
        raise StatedError("Mend the file.")


def test_the_error_of_a_dead_actor_says_what_to_do(cluster):
    with (
        ray_connection(cluster, 1) as ray,
        pytest.raises(RayClusterError, match=r"(?s)gave up: .*exit.*memory"),
        running_actors(ray, cluster, Failing, [()]) as [actor],
    ):
        ray.get(actor.die.remote())


def test_the_message_of_an_actor_arrives_unchanged(cluster):
    with (
        ray_connection(cluster, 1) as ray,
        pytest.raises(StatedError, match=r"^Mend the file\.$"),
        running_actors(ray, cluster, Failing, [()]) as [actor],
    ):
        ray.get(actor.complain.remote())


def test_a_store_is_checked_on_a_cluster_as_here(cluster, store):
    rows = generated(400)
    texts = [NamedInstruction(str(n), text) for n, text in enumerate(rows)]
    on_cluster = partial(check_on_cluster, workers=2, address=cluster)
    store.replace({})
    found = [
        StoredIndex(store, texts[:5], dict, scanned_at_most=10, check_many=check).check(
            texts[5:], range(len(texts) - 5)
        )[0]
        for check in (check_in_process, on_cluster)
    ]
    assert found[0] == found[1]
    assert {verdict.novel for verdict in found[1]} == {True, False}
