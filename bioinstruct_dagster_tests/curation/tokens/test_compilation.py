"""Compiled code: never older than its source."""

import subprocess
import sys
from pathlib import Path

from bioinstruct_dagster.curation.tokens.compilation import COMPILING

OUTER = """
from bioinstruct_dagster.curation.tokens.compilation import compiled
from inner_kernels import answer

@compiled
def ask():
    return answer()
"""
INNER = """
from bioinstruct_dagster.curation.tokens.compilation import inner

@inner
def answer():
    return {value}
"""


def said(folder: Path) -> str:
    code = "from outer_kernels import ask; value = ask(); print(value, len(ask.stats.cache_hits))"
    done = subprocess.run(
        [sys.executable, "-B", "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_compiling_is_told_once_and_not_if_the_code_is_cached(tmp_path):
    (tmp_path / "outer_kernels.py").write_text(OUTER)
    (tmp_path / "inner_kernels.py").write_text(INNER.format(value=1))
    code = (
        "from bioinstruct_dagster.curation.tokens.compilation import telling_of_compilation\n"
        "from outer_kernels import ask\n"
        "with telling_of_compilation(print): ask(); ask()"
    )
    told = [
        subprocess.run(
            [sys.executable, "-B", "-c", code],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        for _ in range(2)
    ]
    assert [one.stdout.strip() for one in told] == [COMPILING, ""]


def test_a_changed_kernel_compiles_its_callers_anew(tmp_path):
    (tmp_path / "outer_kernels.py").write_text(OUTER)
    (tmp_path / "inner_kernels.py").write_text(INNER.format(value=1))
    assert said(tmp_path) == "1 0"
    assert said(tmp_path) == "1 1"  # from the cache
    (tmp_path / "inner_kernels.py").write_text(INNER.format(value=2))
    assert said(tmp_path) == "2 0"
