"""The filter as the kernel reads it, step by step, for both processors: what it lets through and what not."""

import re
import struct
from pathlib import Path

import pytest

from rust_expert.common.errors import UserError
from rust_expert.judge import seccomp

ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
CLONE = {"x86_64": 56, "aarch64": 220}
ALLOW, KILL = 0x7FFF0000, 0x80000000
REFUSED, UNKNOWN = 0x00050000 | 1, 0x00050000 | 38
OWN = 4711
THREAD = 0x003D0F00
"""The flags with which glibc makes a thread."""
HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}


def decided(program: bytes, machine: str, number: int, *arguments: int) -> int:
    """What the kernel answers to one call; a filter that leaves its own text is an error here."""
    given = [argument & 0xFFFFFFFFFFFFFFFF for argument in (*arguments, 0, 0, 0, 0, 0, 0)][:6]
    data = struct.pack("<IIQ6Q", number & 0xFFFFFFFF, ARCHITECTURE[machine], 0, *given)
    steps = list(struct.iter_unpack("<HBBI", program))
    accumulator, place = 0, 0
    while True:
        code, if_true, if_false, value = steps[place]
        value = OWN if value == seccomp.OWN_PROCESS else value
        place += 1
        if code == 0x20:
            (accumulator,) = struct.unpack_from("<I", data, value)
        elif code == 0x06:
            return int(value)
        else:
            holds = {
                0x15: accumulator == value,
                0x35: accumulator >= value,
                0x45: bool(accumulator & value),
            }
            place += if_true if holds[code] else if_false


@pytest.fixture(params=["x86_64", "aarch64"])
def machine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_the_room_refuses_its_list_and_lets_rustc_work(machine: str) -> None:
    room = seccomp.program(one_process=False, machine=machine)
    assert {decided(room, machine, number) for number in seccomp.denied(machine).values()} == {REFUSED}
    assert decided(room, machine, 435) == UNKNOWN
    for name, number in seccomp.denied_to_a_run(machine).items():
        assert decided(room, machine, number) == ALLOW, name
    assert decided(room, machine, CLONE[machine], 17) == ALLOW
    for namespace in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
        assert decided(room, machine, CLONE[machine], 17 | namespace) == REFUSED


def test_a_run_makes_threads_and_no_process(machine: str) -> None:
    run = seccomp.program(one_process=True, machine=machine)
    assert decided(run, machine, CLONE[machine], THREAD) == ALLOW
    assert decided(run, machine, CLONE[machine], 17) == REFUSED
    assert decided(run, machine, CLONE[machine], THREAD | 0x10000000) == REFUSED
    if machine == "x86_64":
        assert [decided(run, machine, number) for number in (57, 58)] == [REFUSED, REFUSED]


def test_a_run_reaches_nobody_but_itself(machine: str) -> None:
    run = seccomp.program(one_process=True, machine=machine)
    assert {decided(run, machine, number) for number in seccomp.denied_to_a_run(machine).values()} == {
        REFUSED
    }
    for name, number in seccomp.allowed_on_itself(machine).items():
        assert decided(run, machine, number, OWN) == ALLOW, name
        # A process number is an int: the kernel looks at the lower half alone, and so does the filter.
        assert decided(run, machine, number, OWN | 5 << 32) == ALLOW, name
        for other in (1, OWN + 1, -1, -OWN, 1 | OWN << 32):
            assert decided(run, machine, number, other) == REFUSED, (name, other)
        expected = REFUSED if name in ("kill", "tgkill") else ALLOW  # there 0 is the whole group
        assert decided(run, machine, number, 0) == expected, name


def test_commands_that_reach_others_are_refused_whatever_the_upper_half_says(machine: str) -> None:
    run = seccomp.program(one_process=True, machine=machine)
    fcntl, ioctl, prctl = {"x86_64": (72, 16, 157), "aarch64": (25, 29, 167)}[machine]
    for command in (6, 7, 8, 10, 15, 37, 38, 1024):  # locks, F_SETOWN, F_SETSIG, F_SETOWN_EX, leases
        assert decided(run, machine, fcntl, 0, command) == REFUSED
        assert decided(run, machine, fcntl, 0, command | 1 << 40) == REFUSED
    assert decided(run, machine, ioctl, 0, 0x8901) == decided(run, machine, ioctl, 0, 0x8902) == REFUSED
    assert decided(run, machine, prctl, 62) == REFUSED
    for command in (1, 3, 4, 1030):  # F_GETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC
        assert decided(run, machine, fcntl, 0, command) == ALLOW
    assert decided(run, machine, ioctl, 0, 0x5401) == decided(run, machine, prctl, 15) == ALLOW


def test_other_ways_into_the_kernel_are_closed(machine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for one_process in (False, True):
        program = seccomp.program(one_process=one_process, machine=machine)
        if machine == "x86_64":
            for x32 in (0x40000000 | 39, 0x40000000 | 62, 0xFFFFFFFF):
                assert decided(program, machine, x32) == UNKNOWN
        monkeypatch.setitem(ARCHITECTURE, machine, 0x40000003)  # i386, which x86_64 kernels also serve
        assert decided(program, machine, 39) == KILL
        monkeypatch.undo()


def test_the_numbers_are_those_of_the_kernel(machine: str) -> None:
    if not HEADERS[machine].is_file():
        pytest.skip(f"the kernel's headers for {machine} are not installed (linux-libc-dev)")
    text = HEADERS[machine].read_text(encoding="utf-8")
    known = {
        found[1]: int(found[2])
        for found in re.finditer(r"#define\s+__NR(?:3264)?_(\w+)\s+(\d+)\s", text + "\n")
    }
    listed = (seccomp.denied, seccomp.denied_to_a_run, seccomp.allowed_on_itself)
    ours = {name: number for table in listed for name, number in table(machine).items()}
    assert {name: number for name, number in ours.items() if known.get(name, number) != number} == {}
    assert len(set(ours) & set(known)) > 70


def test_an_unknown_processor_is_refused() -> None:
    with pytest.raises(UserError, match="riscv64"):
        seccomp.program(one_process=False, machine="riscv64")
