"""Parts: whole files of results, handed over every few seconds."""

from bioinstruct_dagster.evaluation.cache.parts import (
    PartWriter,
    parts_in,
    read_part,
    write_part,
)
from bioinstruct_dagster.evaluation.tasks.item_results import ItemResult

OPTIONS = ItemResult(
    "k1", "medqa", "1", "base", "options", 1, (1, 0), (-1.5, -2.25), (1, 1), precision="float32"
)
ANSWER = ItemResult(
    "k2", "icliniq", "2", "c" * 64, "answer", answer="Yes –\nno", answer_tokens=9, ended=False
)
UNASKED = ItemResult("k3", "medqa", "3", "base", "prior", asked=False)


def test_a_part_gives_back_what_was_written(tmp_path):
    written = [OPTIONS, ANSWER, UNASKED]
    write_part(written, tmp_path / "part")
    lists = ("permutation", "log_likelihoods", "option_tokens")
    found = [
        ItemResult(**{**row, **{name: tuple(row[name]) for name in lists}})
        for row in read_part(tmp_path / "part")
    ]
    assert found == written


def test_results_are_handed_over_after_some_seconds_and_at_the_end(tmp_path):
    times = iter([0.0, 2.0, 6.0, 6.0, 7.0, 8.0])
    messages = []
    writer = PartWriter(tmp_path, messages.append, clock=lambda: next(times))
    for result in (OPTIONS, ANSWER, UNASKED):
        writer.add(result)
    assert [message["rows"] for message in messages] == [3]
    writer.add(OPTIONS)
    assert len(messages) == 1
    writer.flush()
    assert [message["rows"] for message in messages] == [3, 1]
    assert {message["kind"] for message in messages} == {"items"}
    assert sorted(message["path"] for message in messages) == sorted(map(str, parts_in(tmp_path)))


def test_without_results_there_is_no_part(tmp_path):
    PartWriter(tmp_path, [].append).flush()
    assert list(parts_in(tmp_path)) == []
    assert list(parts_in(tmp_path / "no such folder")) == []


def test_a_part_that_is_not_whole_is_none(tmp_path):
    (tmp_path / ".part.unfinished").mkdir()
    (tmp_path / ".part.unfinished" / "items.parquet").touch()
    (tmp_path / "empty").mkdir()
    assert list(parts_in(tmp_path)) == []
