"""The Files endpoints over real HTTP, through the SDK."""

import pytest
from openai import BadRequestError, NotFoundError


def test_a_file_is_uploaded_described_read_and_deleted(serve):
    files = serve().client.files
    content = '{"a": "é\r\n"}\n'.encode()
    uploaded = files.create(file=("mine.jsonl", content), purpose="batch")
    assert (uploaded.filename, uploaded.bytes, uploaded.purpose) == (
        "mine.jsonl",
        len(content),
        "batch",
    )
    assert files.retrieve(uploaded.id) == uploaded
    assert files.content(uploaded.id).read() == content
    assert files.delete(uploaded.id).deleted
    for gone in (files.retrieve, files.content, files.delete):
        with pytest.raises(NotFoundError, match=uploaded.id):
            gone(uploaded.id)


def test_a_file_for_another_purpose_is_refused(serve):
    with pytest.raises(BadRequestError, match="fine-tune"):
        serve().client.files.create(file=("a.jsonl", b"{}"), purpose="fine-tune")


@pytest.mark.parametrize("path", ["file-x", "..%2Ffaults", "file-" + "0" * 32])
def test_no_other_file_can_be_reached(serve, tmp_path, path):
    (tmp_path / "faults.json").write_text("{}")
    server = serve(state_dir=tmp_path)
    with pytest.raises(NotFoundError):
        server.client.get(f"/files/{path}/content", cast_to=object)


def test_an_upload_that_is_no_form_is_refused(serve):
    status, _, answer = serve().post("/v1/files", b"{}")
    assert status == 400
    assert "multipart" in answer["error"]["message"]
