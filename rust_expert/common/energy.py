"""What the machine's own counters of energy say: processors by RAPL, GPUs by NVML. No result hangs on any of it.

RAPL: https://docs.kernel.org/power/powercap/powercap.html. NVML: nvmlDeviceGetTotalEnergyConsumption, Volta and newer.
Both count the whole machine: jobs that run side by side each see what all of them use.
"""

import contextlib
import ctypes
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

POWERCAP = Path("/sys/class/powercap")
NVML = "libnvidia-ml.so.1"
MOST_WATTS = 1000
"""More than a processor with its memory draws: a counter that could have gone round at that power says nothing."""


@dataclass(frozen=True)
class Counter:
    """What a counter showed, in microjoules, and where it begins anew (None: never)."""

    shown: int
    around: int | None = None


@dataclass(frozen=True)
class Reading:
    """All counters at one moment (monotonic seconds), by kind and name; why those of a kind cannot be read."""

    at: float
    counters: Mapping[tuple[str, str], Counter] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)


def read(powercap: Path = POWERCAP, nvml: str = NVML) -> Reading:
    """Read all counters that there are; raises nothing."""
    counters: dict[tuple[str, str], Counter] = {}
    reasons: dict[str, str] = {}
    for kind, found in (("cpu", _processors(powercap)), ("gpu", _gpus(nvml))):
        if isinstance(found, str):
            reasons[kind] = found
        else:
            counters |= {(kind, name): counter for name, counter in found.items()}
    return Reading(time.monotonic(), counters, reasons)


def joules(begun: Reading, ended: Reading) -> dict[str, float]:
    """What was used in between, by kind (`cpu`, `gpu`); a kind that cannot be told is left out."""
    longest = ended.at - begun.at
    used: dict[str, float] = {}
    unsure: set[str] = set()
    for key, now in ended.counters.items():
        before = begun.counters.get(key)
        kind = key[0]
        if before is None or (now.around is not None and longest * MOST_WATTS * 1e6 >= now.around):
            unsure.add(kind)
            continue
        moved = now.shown - before.shown
        used[kind] = used.get(kind, 0.0) + (moved if moved >= 0 else moved + (now.around or 0)) / 1e6
    return {kind: round(value, 3) for kind, value in used.items() if kind not in unsure}


def _processors(powercap: Path) -> dict[str, Counter] | str:
    """The counters of processors and of memory beside them; `psys` would count both again. Or why there are none."""
    found: dict[str, Counter] = {}
    for zone in sorted(powercap.glob("intel-rapl:*")):
        try:
            name = (zone / "name").read_text(encoding="ascii").strip()
            if not name.startswith("package") and name != "dram":
                continue
            shown = int((zone / "energy_uj").read_text(encoding="ascii"))
            around = int((zone / "max_energy_range_uj").read_text(encoding="ascii"))
        except PermissionError:
            return f"{zone / 'energy_uj'} may be read by root alone"
        except (OSError, ValueError) as error:
            return f"{zone}: {error}"
        found[zone.name] = Counter(shown, around)
    return found or f"no RAPL counter in {powercap}"


def _gpus(nvml: str) -> dict[str, Counter] | str:
    try:
        library = ctypes.CDLL(nvml)
    except OSError:
        return "no NVIDIA driver (its library NVML is not there)"
    try:
        if library.nvmlInit_v2() != 0:
            return "NVML does not start"
        with contextlib.ExitStack() as stack:
            stack.callback(library.nvmlShutdown)
            return _consumed(library)
    except AttributeError as error:
        return f"the NVML of this driver is too old ({error})"


def _consumed(library: ctypes.CDLL) -> dict[str, Counter] | str:
    number = ctypes.c_uint()
    if library.nvmlDeviceGetCount_v2(ctypes.byref(number)) != 0 or number.value == 0:
        return "NVML shows no GPU"
    found: dict[str, Counter] = {}
    for index in range(number.value):
        device, millijoules = ctypes.c_void_p(), ctypes.c_ulonglong()
        if (
            library.nvmlDeviceGetHandleByIndex_v2(ctypes.c_uint(index), ctypes.byref(device)) != 0
            or library.nvmlDeviceGetTotalEnergyConsumption(device, ctypes.byref(millijoules)) != 0
        ):
            return f"GPU {index} does not count its energy"
        found[str(index)] = Counter(millijoules.value * 1000)
    return found
