"""Processes that train together, one to a device: how they are started, and what they tell each other.

The first rank alone holds the work folder, writes results and speaks; a fault in one ends all of them with its exit
code. One process is the same as no group at all.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from rust_expert.common.errors import UserError

Told = TypeVar("Told")

_GRACE = 5.0
"""Seconds that the other ranks have to end by themselves once one has failed, mostly of the same fault."""


@dataclass(frozen=True)
class Group:
    """This process among those that train together."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0

    @property
    def first(self) -> bool:
        """Whether this is the rank that writes."""
        return self.rank == 0

    def device(self, kind: str) -> str:
        """The device of this rank: each has a GPU of its own."""
        return f"cuda:{self.local_rank}" if kind == "cuda" and self.size > 1 else kind

    def agree(self, told: Told) -> Told:
        """What the first rank says, on every rank."""
        if self.size == 1:
            return told
        import torch

        words: list[Any] = [told]
        torch.distributed.broadcast_object_list(words, src=0)
        found: Told = words[0]
        return found

    def any(self, told: bool) -> bool:
        """Whether one of the ranks says so."""
        if self.size == 1:
            return told
        import torch

        on = torch.device("cuda", self.local_rank) if torch.distributed.get_backend() == "nccl" else "cpu"
        flag = torch.tensor([int(told)], device=on)
        torch.distributed.all_reduce(flag, op=torch.distributed.ReduceOp.MAX)
        return bool(flag.item())

    def wait(self) -> None:
        """Go on when all ranks have come here."""
        self.any(False)


def is_rank() -> bool:
    """Whether this process was started as one of several, by `launch` or by torchrun."""
    return "RANK" in os.environ and "WORLD_SIZE" in os.environ


def is_first() -> bool:
    """Whether this process is the rank that speaks, or alone."""
    return os.environ.get("RANK", "0") == "0"


def join(ranks: int, device: str) -> Group:
    """Join the other processes; without any there is nothing to join.

    Raises UserError where more or fewer were started than the configuration says, or GPUs are too few.
    """
    if ranks == 1 and not is_rank():
        return Group()
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size != ranks:
        raise UserError(
            f"ranks is {ranks}, but {size} processes were started; start as many as the config says, or run"
            " scripts.train plainly, which starts them"
        )
    import torch

    group = Group(int(os.environ["RANK"]), size, int(os.environ.get("LOCAL_RANK", "0")))
    if device == "cuda":
        if group.local_rank >= torch.cuda.device_count():
            raise UserError(
                f"ranks is {ranks}, but this machine has {torch.cuda.device_count()} GPUs; lower ranks or run on more"
            )
        torch.cuda.set_device(group.local_rank)
    torch.distributed.init_process_group("nccl" if device == "cuda" else "gloo")
    return group


def leave() -> None:
    """Leave the group, where there is one."""
    import torch

    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def launch(ranks: int, module: str, words: Sequence[str]) -> int:
    """Run `python -m module words` as `ranks` processes of this machine; returns the exit code of the first to fail.

    A signal to end goes to all of them. The others of a rank that failed are ended. The first speaks for all, unless
    another one failed and it did not.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"WORLD_SIZE": str(ranks), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    with tempfile.TemporaryFile("w+", encoding="utf-8") as quiet:
        processes = []
        for rank in range(ranks):
            environment = {**os.environ, **shared, "RANK": str(rank), "LOCAL_RANK": str(rank)}
            if rank:
                environment.pop("RUST_EXPERT_FAULTS", None)
            command = [sys.executable, "-m", module, *words]
            processes.append(subprocess.Popen(command, env=environment, stderr=quiet if rank else None))

        def pass_on(number: int, _: object) -> None:
            for process in processes:
                process.send_signal(number)

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, pass_on)
        code = _ended(processes)
        if code and processes[0].returncode in (0, -signal.SIGKILL):  # the first has not said why
            quiet.seek(0)
            sys.stderr.write(quiet.read())
    return code


def _ended(processes: Sequence["subprocess.Popen[bytes]"]) -> int:
    """Wait for all; 0, or the exit code of the first that failed, once the others are gone too."""
    code, give_up = 0, float("inf")
    while any(process.poll() is None for process in processes):
        failed = next((process.returncode for process in processes if process.returncode), 0)
        if failed and not code:
            code, give_up = failed, time.monotonic() + _GRACE
        if time.monotonic() > give_up:
            for process in processes:
                process.kill()
        time.sleep(0.05)
    code = code or next((process.returncode for process in processes if process.returncode), 0)
    return 128 - code if code < 0 else code
