"""The exchange: folders arrive whole and unchanged, or the message says what is wrong."""

import pytest

from bioinstruct_dagster.models.compute.exchange import Exchange, ExchangeError


@pytest.fixture(params=["file", "memory"])
def exchange(request, tmp_path):
    """A local folder; and fsspec's memory, which has the interface of an object store."""
    exchange = Exchange(f"{request.param}://{tmp_path}/exchange of tests")
    yield exchange
    exchange.remove("")


def stored(exchange, name) -> bytes:
    """A file of the exchange as it is, past the class."""
    return exchange._files.cat_file(f"{exchange._root}/{name}")


def store(exchange, name, content: bytes) -> None:
    exchange._files.pipe_file(f"{exchange._root}/{name}", content)


@pytest.fixture
def folder(tmp_path):
    """A folder with files on two levels, and a hidden one."""
    folder = tmp_path / "sent"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "train.parquet").write_bytes(bytes(range(256)) * 5_000)
    (folder / "README.md").write_text("β", "utf-8")
    (folder / ".lock").write_text("", "utf-8")
    return folder


def files_of(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_folder_arrives_as_it_was_without_hidden_files(exchange, folder, tmp_path):
    exchange.put_folder(folder, "datasets/a1")
    exchange.fetch_folder("datasets/a1", tmp_path / "fetched" / "set")
    expected = files_of(folder)
    del expected[".lock"]
    assert files_of(tmp_path / "fetched" / "set") == expected
    assert [path.name for path in (tmp_path / "fetched").iterdir()] == ["set"]


def test_a_folder_is_sent_once(exchange, folder):
    exchange.put_folder(folder, "datasets/a1")
    (folder / "README.md").write_text("another", "utf-8")
    exchange.put_folder(folder, "datasets/a1")
    assert stored(exchange, "datasets/a1/README.md").decode() == "β"


def test_only_files_of_the_pattern_are_sent(exchange, folder, tmp_path):
    exchange.put_folder(folder, "datasets/a1", "data/*.parquet")
    exchange.fetch_folder("datasets/a1", tmp_path / "fetched")
    assert list(files_of(tmp_path / "fetched")) == ["data/train.parquet"]


def test_a_folder_that_was_not_sent_as_a_whole_is_not_there(exchange, folder, tmp_path):
    exchange.put_folder(folder, "datasets/a1")
    exchange._files.rm_file(f"{exchange._root}/datasets/a1/manifest.json")  # it is written last
    assert not exchange.has_folder("datasets/a1")
    with pytest.raises(ExchangeError, match="no complete folder"):
        exchange.fetch_folder("datasets/a1", tmp_path / "fetched")


@pytest.mark.parametrize("damage", [lambda b: b[:-1], lambda b: b[:-1] + b"?", lambda b: b""])
def test_a_changed_file_is_refused_and_the_old_folder_stays(exchange, folder, tmp_path, damage):
    exchange.put_folder(folder, "adapters/a1")
    name = "adapters/a1/data/train.parquet"
    store(exchange, name, damage(stored(exchange, name)))
    home = tmp_path / "home"
    home.mkdir()
    (home / "old").write_text("old", "utf-8")
    with pytest.raises(ExchangeError, match=r"train\.parquet has not the sha256"):
        exchange.fetch_folder("adapters/a1", home)
    assert files_of(home) == {"old": b"old"}
    assert not list(tmp_path.glob(".home*"))


def test_no_file_is_written_outside_the_folder(exchange, tmp_path):
    exchange.put_text("adapters/a1/manifest.json", '{"../../outside": "00"}')
    with pytest.raises(ExchangeError, match="outside it"):
        exchange.fetch_folder("adapters/a1", tmp_path / "home" / "adapter")
    assert not (tmp_path / "outside").exists()


def test_texts_are_there_or_not_and_are_replaced(exchange):
    assert exchange.text("runs/r1/alive") is None
    exchange.put_text("runs/r1/alive", "1")
    exchange.put_text("runs/r1/alive", "2β")
    assert exchange.text("runs/r1/alive") == "2β"
    exchange.remove("runs/r1")
    exchange.remove("runs/r1")
    assert exchange.text("runs/r1/alive") is None


@pytest.mark.parametrize("url", ["nothing://here", "s4://bucket/a"])
def test_a_protocol_that_nobody_knows_is_refused(url):
    with pytest.raises(ExchangeError, match="BIOINSTRUCT_EXCHANGE_URL"):
        Exchange(url)


def test_a_folder_that_may_not_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(ExchangeError, match=r"file/runs/a can't be read or written"):
        Exchange((tmp_path / "file").as_uri()).put_text("runs/a", "")
