"""The memory that is free: of the machine, or of the container's control group."""

import pytest

from bioinstruct_dagster.training.memory.machine import _host_memory, memory_of

GIB = 2**30


@pytest.fixture
def root(tmp_path):
    """A file system with 16 GiB free, whose process is in the group /a/b."""
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/meminfo").write_text(f"MemTotal: 1\nMemAvailable: {16 * GIB // 1024} kB\n")
    return tmp_path


def version_2(root, group, limit, used, cached=0):
    (root / "proc/self/cgroup").write_text("0::/a/b\n")
    folder = root / "sys/fs/cgroup" / group
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "memory.max").write_text(f"{limit}\n")
    (folder / "memory.current").write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 1\ninactive_file {cached}\n")


def test_without_a_limit_the_machine_counts(root):
    version_2(root, "a/b", "max", 3)
    assert _host_memory(root) == (16 * GIB, "main memory")


def test_a_limit_of_the_container_counts_without_cached_files(root):
    version_2(root, "a/b", 4 * GIB, 3 * GIB, cached=GIB)
    free, where = _host_memory(root)
    assert free == 2 * GIB
    assert "4.0 GiB" in where


def test_a_limit_of_a_group_above_counts_too(root):
    version_2(root, "a/b", 8 * GIB, 0)
    version_2(root, "a", 4 * GIB, GIB)
    assert _host_memory(root)[0] == 3 * GIB


def test_version_1_of_control_groups_is_read(root):
    (root / "proc/self/cgroup").write_text("5:devices:/\n4:memory:/a\n0::/\n")
    folder = root / "sys/fs/cgroup/memory/a"
    folder.mkdir(parents=True)
    (folder / "memory.limit_in_bytes").write_text(str(2 * GIB))
    (folder / "memory.usage_in_bytes").write_text(str(GIB))
    (folder / "memory.stat").write_text("total_inactive_file 0\n")
    assert _host_memory(root)[0] == GIB


def test_this_machine_has_memory():
    memory = memory_of("cpu")
    assert 0 < memory.usable < memory.free
