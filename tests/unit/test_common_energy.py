"""Counters of energy: what is read, what goes round, and why nothing is said where nothing is sure."""

import shutil
import subprocess
from pathlib import Path

import pytest

from rust_expert.common.energy import Counter, Reading, joules, read

NO_DRIVER = "libno-such-driver.so"


def zone(folder: Path, place: str, name: str, shown: int) -> Path:
    made = folder / place
    made.mkdir(parents=True, exist_ok=True)
    (made / "name").write_text(f"{name}\n")
    (made / "energy_uj").write_text(f"{shown}\n")
    (made / "max_energy_range_uj").write_text("262143328850\n")
    return made


def test_packages_and_memory_are_read_and_nothing_twice(tmp_path: Path) -> None:
    zone(tmp_path, "intel-rapl:0", "package-0", 5_000_000)
    zone(tmp_path, "intel-rapl:0:0", "core", 4_000_000)  # a part of its package
    zone(tmp_path, "intel-rapl:0:2", "dram", 1_000_000)
    zone(tmp_path, "intel-rapl:1", "psys", 9_000_000)  # all of it again
    begun = read(tmp_path, NO_DRIVER)
    assert {name for _, name in begun.counters} == {"intel-rapl:0", "intel-rapl:0:2"}
    assert list(begun.reasons) == ["gpu"] and "no NVIDIA driver" in begun.reasons["gpu"]
    zone(tmp_path, "intel-rapl:0", "package-0", 12_500_000)
    zone(tmp_path, "intel-rapl:0:2", "dram", 1_500_000)
    assert joules(begun, read(tmp_path, NO_DRIVER)) == {"cpu": 8.0}


def at(seconds: float, shown: int, around: int | None = 1_000_000_000) -> Reading:
    return Reading(seconds, {("cpu", "0"): Counter(shown, around)})


def test_a_counter_that_went_round_once_is_followed() -> None:
    assert joules(at(0, 999_000_000), at(0.5, 2_000_000)) == {"cpu": 3.0}


def test_a_counter_that_may_have_gone_round_unseen_says_nothing() -> None:
    assert joules(at(0, 1), at(1.5, 500_000_000)) == {}
    assert joules(at(0, 1, None), at(1e6, 500_000_001, None)) == {"cpu": 500.0}


def test_a_counter_that_is_only_there_at_the_end_says_nothing() -> None:
    assert joules(Reading(0), at(0.1, 5)) == {}


def test_what_cannot_be_read_has_a_reason(tmp_path: Path) -> None:
    assert "no RAPL counter" in read(tmp_path, NO_DRIVER).reasons["cpu"]
    (zone(tmp_path, "intel-rapl:0", "package-0", 1) / "energy_uj").write_text("none\n")
    broken = read(tmp_path, NO_DRIVER)
    assert broken.counters == {} and "intel-rapl:0" in broken.reasons["cpu"]


LIBRARY = """
typedef void *device;
int nvmlInit_v2(void) { return 0; }
int nvmlShutdown(void) { return 0; }
int nvmlDeviceGetCount_v2(unsigned int *count) { *count = 2; return 0; }
static int known[2];
int nvmlDeviceGetHandleByIndex_v2(unsigned int index, device *found) { *found = &known[index]; return 0; }
int nvmlDeviceGetTotalEnergyConsumption(device one, unsigned long long *millijoules) {
    if (one == &known[1] && FAULT) return 3;
    *millijoules = one == &known[0] ? 5000000000ULL : 70ULL;
    return 0;
}
"""


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler for a library with NVML's functions")
@pytest.mark.parametrize("fault", [0, 1])
def test_gpus_are_read_by_the_functions_of_the_driver(tmp_path: Path, fault: int) -> None:
    """A library with NVML's interface (nvml.h), since no GPU is here: arguments and widths are those of C."""
    (tmp_path / "nvml.c").write_text(LIBRARY)
    library = tmp_path / "libnvml.so"
    subprocess.run(
        ["cc", "-shared", "-fPIC", f"-DFAULT={fault}", "-o", library, tmp_path / "nvml.c"], check=True
    )
    told = read(tmp_path, str(library))
    if fault:
        assert told.reasons["gpu"] == "GPU 1 does not count its energy"
    else:
        assert {key: one.shown for key, one in told.counters.items()} == {
            ("gpu", "0"): 5_000_000_000_000, ("gpu", "1"): 70_000,
        }  # fmt: skip
