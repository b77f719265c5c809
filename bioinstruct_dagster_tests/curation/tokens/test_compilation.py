"""Compiled code: never older than its source."""

import subprocess
import sys
from pathlib import Path

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


def test_a_changed_kernel_compiles_its_callers_anew(tmp_path):
    (tmp_path / "outer_kernels.py").write_text(OUTER)
    (tmp_path / "inner_kernels.py").write_text(INNER.format(value=1))
    assert said(tmp_path) == "1 0"
    assert said(tmp_path) == "1 1"  # from the cache
    (tmp_path / "inner_kernels.py").write_text(INNER.format(value=2))
    assert said(tmp_path) == "2 0"
