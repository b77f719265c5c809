"""A local hub that huggingface_hub talks to, and a token for it."""

import huggingface_hub.constants
import pytest

from bioinstruct_dagster_tests.publishing.hub_server import TOKEN, hub_serving


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A hub at HF_ENDPOINT, whose token is set. Large files travel by LFS, without Xet."""
    with hub_serving() as serving:
        monkeypatch.setenv("HF_ENDPOINT", serving.address)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(huggingface_hub.constants, "HF_TOKEN_PATH", str(tmp_path / "no-token"))
        yield serving
