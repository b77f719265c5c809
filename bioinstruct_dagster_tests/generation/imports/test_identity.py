"""The name of an imported set: the file's own name and the hash of its content."""

import hashlib
import os

from bioinstruct_dagster.generation.imports.identity import file_identity, hub_identity


def test_a_file_is_known_by_its_name_and_its_content_and_not_by_its_folder(tmp_path):
    content = b"instruction,output\n"
    digits = hashlib.sha256(content).hexdigest()[:12]
    for folder in ("a", "b"):
        path = tmp_path / folder / "rows.csv"
        path.parent.mkdir()
        path.write_bytes(content)
        assert file_identity(path) == f"rows.csv@{digits}"


def test_a_name_that_no_table_can_hold_becomes_one_line_of_text(tmp_path):
    path = tmp_path / os.fsdecode(b"ro\xffws \n two.csv")
    path.write_bytes(b"")
    assert file_identity(path) == f"ro?ws two.csv@{hashlib.sha256(b'').hexdigest()[:12]}"


def test_a_set_of_the_hub_is_known_by_its_id_and_split():
    assert hub_identity("owner/name", "test") == "owner/name@test"
