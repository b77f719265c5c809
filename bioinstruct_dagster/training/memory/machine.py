"""The memory of this machine that a run may use.

Belongs here: asking the GPU, the kernel and the container's limits. Does not: what a run needs
(training.memory.estimate).
"""

from dataclasses import dataclass
from pathlib import Path

# A GPU's allocator leaves gaps between blocks, and the CUDA context needs some hundred MiB.
_GPU_SHARE = 0.92
# The rest of the machine goes on using memory while a run trains.
_CPU_SHARE = 0.85


@dataclass(frozen=True)
class Memory:
    """Memory in bytes: what is free now, and what a run may plan with."""

    free: int
    usable: int
    where: str


def memory_of(device: str) -> Memory:
    """The memory of the GPU that torch uses, or of this container or machine."""
    if device == "cuda":
        import torch

        free, total = torch.cuda.mem_get_info()
        return Memory(free, int(free * _GPU_SHARE), f"GPU memory ({_gib(total)} in all)")
    free, where = _host_memory(Path("/"))
    return Memory(free, int(free * _CPU_SHARE), where)


def _host_memory(root: Path) -> tuple[int, str]:
    """Free bytes of the machine or of the control group, whichever has less.

    Args:
        root: where /proc and /sys are; a test gives another folder.
    """
    free = _field(root / "proc/meminfo", "MemAvailable:") * 1024
    where = "main memory"
    for limit, used, cached in _groups(root):
        left = limit - used + cached
        if left < free:
            free, where = max(0, left), f"memory of this container (limit {_gib(limit)})"
    return free, where


def _groups(root: Path) -> list[tuple[int, int, int]]:
    """Limit, use, and the part of the use that is cached files, of each control group above us."""
    found = []
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "memory":
            base, names = "sys/fs/cgroup/memory", ("limit_in_bytes", "usage_in_bytes")
            inactive = "total_inactive_file"
        elif not controllers:
            base, names, inactive = "sys/fs/cgroup", ("max", "current"), "inactive_file"
        else:
            continue
        group = Path(path.lstrip("/"))
        for part in (group, *group.parents):
            folder = root / base / part
            limit = _text(folder / f"memory.{names[0]}").strip()
            if limit.isdigit():
                used = _text(folder / f"memory.{names[1]}").strip()
                cached = _field(folder / "memory.stat", inactive)
                found.append((int(limit), int(used or 0), cached))
    return found


def _field(path: Path, name: str) -> int:
    for line in _text(path).splitlines():
        words = line.split()
        if words and words[0] == name:
            return int(words[1])
    return 0


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError:
        return ""


def _gib(size: int) -> str:
    return f"{size / 2**30:.1f} GiB"
