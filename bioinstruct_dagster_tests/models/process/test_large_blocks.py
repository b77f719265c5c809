"""The model process gives large blocks of memory back as soon as they are free."""

import platform
import subprocess
import sys

import pytest

from bioinstruct_dagster.models.process.large_blocks import LARGE_BLOCK

# Blocks of the heap can't go back to the system while a later one lives. The first block that is
# freed makes glibc take the next ones from the heap, unless the option stops that.
HELD_AFTER = """
import ctypes, sys
from pathlib import Path
from bioinstruct_dagster.models.process.large_blocks import LARGE_BLOCK, return_large_blocks

if sys.argv[1] == "returned":
    assert return_large_blocks()
c = ctypes.CDLL(None)
c.malloc.restype, c.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
c.free.argtypes = [ctypes.c_void_p]

def block(size):
    at = c.malloc(size)
    ctypes.memset(at, 1, size)
    return at

c.free(block(2 * LARGE_BLOCK))
blocks = [block(LARGE_BLOCK + 64) for _ in range(32)]
last = block(1024)
for at in blocks[:-1]:
    c.free(at)
status = Path("/proc/self/status").read_text().splitlines()
print(next(line for line in status if "VmRSS" in line).split()[1])
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="an option of glibc")
def test_freed_large_blocks_go_back_to_the_system():
    def held(how):
        done = subprocess.run(
            [sys.executable, "-c", HELD_AFTER, how], capture_output=True, text=True, check=True
        )
        return int(done.stdout) * 1024

    assert held("kept") - held("returned") > 20 * LARGE_BLOCK
