"""Limits of containers, batch systems and the shell, from files as the system writes them."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from micrograph.optimize import memory
from micrograph.optimize.memory_limits import free_bytes, most_bytes

GB = 1 << 30


@pytest.fixture
def system(tmp_path: Path):
    """Writes files of /proc and /sys/fs/cgroup; gives both folders."""

    def write(cgroup: str) -> tuple[Path, Path]:
        proc, groups = tmp_path / "proc", tmp_path / "groups"
        (proc / "self").mkdir(parents=True)
        (proc / "meminfo").write_text("MemTotal: 99 kB\nMemAvailable:   8388608 kB\n")
        (proc / "self" / "cgroup").write_text(cgroup)
        return proc, groups

    return write


def put(folder: Path, **files: object) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in files.items():
        (folder / name.replace("memory_", "memory.", 1)).write_text(f"{value}\n")


@pytest.mark.skipif(
    resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY, reason="ulimit -v is set"
)
def test_the_least_of_all_limits_counts(system) -> None:
    proc, groups = system("0::/job/step\n")
    assert free_bytes(proc, groups) == 8 * GB
    assert most_bytes(proc, groups) is None
    put(groups / "job" / "step", memory_max="max", memory_current=GB)
    assert free_bytes(proc, groups) == 8 * GB
    put(groups / "job", memory_max=3 * GB, memory_current=GB)
    assert free_bytes(proc, groups) == 2 * GB
    put(groups / "job" / "step", memory_max=2 * GB, memory_current=GB // 2)
    assert free_bytes(proc, groups) == 3 * GB // 2
    assert most_bytes(proc, groups) == 2 * GB


@pytest.mark.skipif(
    resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY, reason="ulimit -v is set"
)
def test_control_groups_of_version_one_and_of_a_container(system) -> None:
    proc, groups = system("5:cpu:/x\n4:memory:/docker/abc\n")
    put(groups / "memory", memory_limit_in_bytes=GB, memory_usage_in_bytes=GB // 4)
    assert free_bytes(proc, groups) == 3 * GB // 4
    put(groups / "memory", memory_limit_in_bytes=(1 << 63) - 4096)
    assert most_bytes(proc, groups) is None


@pytest.mark.skipif(
    resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY, reason="ulimit -v is set"
)
def test_what_is_slowed_down_is_a_limit_and_what_files_took_is_free(system) -> None:
    proc, groups = system("0::/job\n")
    read = "anon 5\ninactive_file 1073741824\nactive_file 1073741824\n"
    put(groups / "job", memory_max=5 * GB, memory_current=4 * GB, memory_stat=read)
    assert free_bytes(proc, groups) == 3 * GB
    put(groups / "job", memory_high=4 * GB)
    assert free_bytes(proc, groups) == 2 * GB
    put(groups / "job", memory_max="max", memory_high="max")
    assert most_bytes(proc, groups) is None


@pytest.mark.skipif(
    resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY, reason="ulimit -v is set"
)
def test_version_two_beside_version_one(system) -> None:
    proc, groups = system("1:name=systemd:/\n0::/job\n")
    put(groups / "unified" / "job", memory_max=2 * GB, memory_current=GB)
    assert free_bytes(proc, groups) == GB


def test_nothing_tells(tmp_path: Path) -> None:
    assert 0 < free_bytes(tmp_path, tmp_path) <= 4 * GB


def test_ulimit_is_seen_from_inside() -> None:
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))\n"
        "from micrograph.optimize.memory_limits import free_bytes, most_bytes\n"
        "print(most_bytes(), free_bytes())"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    most, free = map(int, told.stdout.split())
    assert most == 3 * GB
    assert 0 < free < 3 * GB


def test_batches_that_are_fixed_keep_to_a_limit(monkeypatch) -> None:
    import micrograph

    model = micrograph.load("toytown")
    node = list(model.nodes)[-1]
    with memory.fixed_budget():
        usual = memory.batch_size(model, node, 64)
        monkeypatch.setattr(memory.memory_limits, "most_bytes", lambda: 256 << 20)
        limited = memory.batch_size(model, node, 64)
    assert 1 <= limited < usual


@pytest.mark.parametrize(
    "words",
    [
        "DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes. Error code 12",
        "DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes.",
        "CUDA error: out of memory",
        "MPS backend out of memory (MPS allocated: 1 GB)",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "could not create a memory object",
        "std::bad_alloc",
    ],
)
def test_all_words_for_no_memory_left(words: str) -> None:
    assert memory.is_out_of_memory(RuntimeError(words))
    assert not memory.is_out_of_memory(ValueError(words))


def test_what_torch_itself_says() -> None:
    with pytest.raises(RuntimeError) as raised:
        torch.empty(1 << 60, dtype=torch.uint8)
    assert memory.is_out_of_memory(raised.value)
    assert not memory.is_out_of_memory(RuntimeError("shapes do not fit"))
