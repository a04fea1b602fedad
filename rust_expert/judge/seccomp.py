"""The system calls that nothing in the sandbox may make, as a classic BPF program for bubblewrap's `--seccomp`.

Namespaces hide files, processes and the network; these calls reach past them: keyrings and vsock are shared with
the host, io_uring and BPF are wide kernel surfaces, new user namespaces give back privileges, System V and memfd
memory escapes the size limits, asynchronous I/O and watches are counted for the whole host, mounts tell where things
lie on it, and nothing here sets clocks, loads modules or swaps. A denied call fails with EPERM (ENOSYS where the C
library then falls back).

What a sample became is bound tighter: it makes no process, and cannot signal, tune or look into another one.
"""

import platform
import struct

from rust_expert.common.errors import UserError

EPERM, ENOSYS = 1, 38

_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
# Places in struct seccomp_data, little endian. Of each argument the lower half is read: it is all that the kernel takes
# of process numbers, commands and the flags of clone.
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT, _SECOND_ARGUMENT = 0, 4, 16, 24

OWN_PROCESS = 0x7A5A0001
"""Stands in a filter for one process for that process's number; the warden puts it in (warden.rs)."""

_THIRD_ARGUMENT = 32
_PROT_WRITE, _PROT_EXEC = 2, 4

_CLONE_THREAD = 0x00010000
_CLONE_NAMESPACES = 0x7E020080
_X32_BIT = 0x40000000

_DENIED = {
    "x86_64": {
        "socket": 41, "ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311,
        "kcmp": 312, "mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161, "open_tree": 428,
        "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433,
        "mount_setattr": 442, "statmount": 457, "listmount": 458, "open_tree_attr": 467,
        "name_to_handle_at": 303, "open_by_handle_at": 304, "fanotify_init": 300,
        "inotify_init": 253, "inotify_init1": 294, "fanotify_mark": 301,
        "unshare": 272, "setns": 308, "add_key": 248, "request_key": 249, "keyctl": 250, "bpf": 321,
        "perf_event_open": 298, "userfaultfd": 323, "seccomp": 317, "lookup_dcookie": 212,
        "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "io_setup": 206,
        "io_submit": 209, "memfd_create": 319, "memfd_secret": 447, "shmget": 29, "shmat": 30, "shmctl": 31,
        "semget": 64, "msgget": 68, "mq_open": 240, "mbind": 237, "set_mempolicy": 238,
        "set_mempolicy_home_node": 450, "remap_file_pages": 216, "init_module": 175, "delete_module": 176,
        "finit_module": 313, "kexec_load": 246, "kexec_file_load": 320, "reboot": 169, "swapon": 167,
        "swapoff": 168, "acct": 163, "quotactl": 179, "quotactl_fd": 443, "syslog": 103, "vhangup": 153,
        "nfsservctl": 180, "settimeofday": 164, "clock_settime": 227, "adjtimex": 159, "clock_adjtime": 305,
        "sethostname": 170, "setdomainname": 171, "personality": 135, "iopl": 172, "ioperm": 173,
        "modify_ldt": 154, "uselib": 134, "_sysctl": 156, "ustat": 136, "sysfs": 139, "create_module": 174,
        "get_kernel_syms": 177, "query_module": 178,
    },
    "aarch64": {
        "socket": 198, "ptrace": 117, "process_vm_readv": 270, "process_vm_writev": 271,
        "kcmp": 272, "mount": 40, "umount2": 39, "pivot_root": 41, "chroot": 51, "open_tree": 428,
        "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433,
        "mount_setattr": 442, "statmount": 457, "listmount": 458, "open_tree_attr": 467,
        "name_to_handle_at": 264, "open_by_handle_at": 265, "fanotify_init": 262,
        "inotify_init1": 26, "fanotify_mark": 263,
        "unshare": 97, "setns": 268, "add_key": 217, "request_key": 218, "keyctl": 219, "bpf": 280,
        "perf_event_open": 241, "userfaultfd": 282, "seccomp": 277, "lookup_dcookie": 18,
        "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "io_setup": 0,
        "io_submit": 2, "memfd_create": 279, "memfd_secret": 447, "shmget": 194, "shmat": 196,
        "shmctl": 195, "semget": 190, "msgget": 186, "mq_open": 180, "mbind": 235, "set_mempolicy": 237,
        "set_mempolicy_home_node": 450, "remap_file_pages": 234, "init_module": 105, "delete_module": 106,
        "finit_module": 273, "kexec_load": 104, "kexec_file_load": 294, "reboot": 142, "swapon": 224,
        "swapoff": 225, "acct": 89, "quotactl": 60, "quotactl_fd": 443, "syslog": 116, "vhangup": 58,
        "nfsservctl": 42, "settimeofday": 170, "clock_settime": 112, "adjtimex": 171, "clock_adjtime": 266,
        "sethostname": 161, "setdomainname": 162, "personality": 92,
    },
}  # fmt: skip
_FORKS = {"x86_64": {"fork": 57, "vfork": 58}, "aarch64": {}}
_OTHERS = {
    "x86_64": {
        "tkill": 200, "rt_sigqueueinfo": 129, "rt_tgsigqueueinfo": 297, "pidfd_open": 434, "pidfd_send_signal": 424,
        "pidfd_getfd": 438, "process_madvise": 440, "process_mrelease": 448, "setpriority": 141, "ioprio_set": 251,
        "migrate_pages": 256, "move_pages": 279, "get_robust_list": 274, "socketpair": 53,
        "flock": 73,
    },
    "aarch64": {
        "tkill": 130, "rt_sigqueueinfo": 138, "rt_tgsigqueueinfo": 240, "pidfd_open": 434, "pidfd_send_signal": 424,
        "pidfd_getfd": 438, "process_madvise": 440, "process_mrelease": 448, "setpriority": 140, "ioprio_set": 30,
        "migrate_pages": 238, "move_pages": 239, "get_robust_list": 100, "socketpair": 199,
        "flock": 32,
    },
}  # fmt: skip
"""What reaches another process of the same user and nothing that a test needs."""
_ON_ITSELF = {
    "x86_64": {
        "kill": 62, "tgkill": 234, "prlimit64": 302, "sched_setaffinity": 203, "sched_setparam": 142,
        "sched_setscheduler": 144, "sched_setattr": 314,
    },
    "aarch64": {
        "kill": 129, "tgkill": 131, "prlimit64": 261, "sched_setaffinity": 122, "sched_setparam": 118,
        "sched_setscheduler": 119, "sched_setattr": 274,
    },
}  # fmt: skip
"""Allowed where the first argument is the process itself, or 0 where that means the same."""
_GROUP_AT_ZERO = frozenset({"kill", "tgkill"})
_BY_COMMAND = {
    "x86_64": {"fcntl": 72, "ioctl": 16, "prctl": 157},
    "aarch64": {"fcntl": 25, "ioctl": 29, "prctl": 167},
}
_COMMANDS = {
    "fcntl": (_SECOND_ARGUMENT, (5, 6, 7, 8, 10, 15, 36, 37, 38, 1024, 1026)),
    "ioctl": (_SECOND_ARGUMENT, (0x8901, 0x8902)),
    "prctl": (_FIRST_ARGUMENT, (62,)),
}
"""Commands that reach another process: F_SETOWN, F_SETSIG, F_SETOWN_EX, and locks, leases and watches, for the files of
the system are those of the host; FIOSETOWN, SIOCSPGRP; PR_SCHED_CORE."""
_MAPPING = {
    "x86_64": {"mprotect": 10, "pkey_mprotect": 329, "mmap": 9},
    "aarch64": {"mprotect": 226, "pkey_mprotect": 288, "mmap": 222},
}
"""What could make memory that is written executable: the loader only maps files to be read and run."""
_CLONE = {"x86_64": 56, "aarch64": 220}
CLONE3 = 435
_AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("<HBBI", code, if_true, if_false, value)


def _refuse(number: int, error: int = EPERM) -> bytes:
    """Two steps: where the loaded number is `number`, fail the call."""
    return _step(_JUMP_EQUAL, number, 0, 1) + _step(_RETURN, _ERRNO | error)


def _only_on_itself(name: str, number: int) -> list[bytes]:
    steps = [_step(_LOAD, _FIRST_ARGUMENT)]
    if name in _GROUP_AT_ZERO:
        steps += [_step(_JUMP_EQUAL, OWN_PROCESS, 1, 0)]
    else:
        steps += [_step(_JUMP_EQUAL, OWN_PROCESS, 2, 0), _step(_JUMP_EQUAL, 0, 1, 0)]
    steps += [_step(_RETURN, _ERRNO | EPERM), _step(_RETURN, _ALLOW)]
    return [_step(_JUMP_EQUAL, number, 0, len(steps)), *steps]


def _without_commands(name: str, number: int) -> list[bytes]:
    place, commands = _COMMANDS[name]
    count = len(commands)
    steps = [_step(_LOAD, place)]
    steps += [_step(_JUMP_EQUAL, command, count - nth, 0) for nth, command in enumerate(commands)]
    steps += [_step(_RETURN, _ALLOW), _step(_RETURN, _ERRNO | EPERM)]
    return [_step(_JUMP_EQUAL, number, 0, len(steps)), *steps]


def _one_process(machine: str) -> list[bytes]:
    """What binds a sample's process beyond the room's filter, before the rule about clone."""
    steps = [_refuse(number) for number in _FORKS[machine].values()]
    steps += [_refuse(number) for _, number in sorted(_OTHERS[machine].items())]
    for name, number in sorted(_ON_ITSELF[machine].items()):
        steps += _only_on_itself(name, number)
    for name, number in sorted(_BY_COMMAND[machine].items()):
        steps += _without_commands(name, number)
    return steps


def _without_new_code(machine: str) -> list[bytes]:
    """Nothing becomes executable after the loader: a sample patches no machine code, the library's nor its tests'."""
    steps = []
    for name, number in sorted(_MAPPING[machine].items()):
        writable = [_step(_JUMP_BITS, _PROT_WRITE, 0, 1)] if name == "mmap" else []
        rule = [_step(_LOAD, _THIRD_ARGUMENT), _step(_JUMP_BITS, _PROT_EXEC, 0, len(writable) + 1), *writable]
        rule += [_step(_RETURN, _ERRNO | EPERM), _step(_RETURN, _ALLOW)]
        steps += [_step(_JUMP_EQUAL, number, 0, len(rule)), *rule]
    return steps


def denied(machine: str | None = None) -> dict[str, int]:
    """The calls that nothing in a room may make, by name, with their numbers on this processor.

    Raises UserError on a processor whose call numbers are not known here.
    """
    machine = machine or platform.machine()
    if machine not in _DENIED:
        raise UserError(
            f"the sandbox knows x86_64 and aarch64, this machine is {machine}: judge on another machine"
        )
    return _DENIED[machine]


def denied_to_a_run(machine: str | None = None) -> dict[str, int]:
    """The calls that a test run may not make whatever their arguments, beyond those of `denied`."""
    return _OTHERS[machine or platform.machine()]


def allowed_on_itself(machine: str | None = None) -> dict[str, int]:
    """The calls whose first argument names a process, which has to be the caller's."""
    return _ON_ITSELF[machine or platform.machine()]


def program(*, one_process: bool, machine: str | None = None) -> bytes:
    """The filter as `struct sock_filter` bytes; `one_process` also refuses new processes (threads stay allowed) and
    what reaches another process, and holds OWN_PROCESS where the number of the process that it binds belongs.

    Raises UserError on a processor whose call numbers are not known here.
    """
    machine = machine or platform.machine()
    refused = denied(machine)
    steps = [
        _step(_LOAD, _ARCHITECTURE),
        _step(_JUMP_EQUAL, _AUDIT[machine], 1, 0),
        _step(_RETURN, _KILL),
        _step(_LOAD, _NUMBER),
    ]
    if machine == "x86_64":
        steps += [_step(_JUMP_AT_LEAST, _X32_BIT, 0, 1), _step(_RETURN, _ERRNO | ENOSYS)]
    steps += [_refuse(number) for _, number in sorted(refused.items())]
    # Its flags lie behind a pointer, which a filter cannot follow; the C library falls back to clone.
    steps.append(_refuse(CLONE3, ENOSYS))
    if one_process:
        steps += [*_one_process(machine), *_without_new_code(machine)]
    steps += [_step(_JUMP_EQUAL, _CLONE[machine], 0, 5 if one_process else 3), _step(_LOAD, _FIRST_ARGUMENT)]
    steps += [_step(_JUMP_BITS, _CLONE_NAMESPACES, 0, 1), _step(_RETURN, _ERRNO | EPERM)]
    if one_process:
        steps += [_step(_JUMP_BITS, _CLONE_THREAD, 1, 0), _step(_RETURN, _ERRNO | EPERM)]
    steps.append(_step(_RETURN, _ALLOW))
    return b"".join(steps)
