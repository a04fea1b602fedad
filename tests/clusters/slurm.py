"""A Slurm of the tests' own on loopback: its control daemon, munge, and two nodes on this machine, in one folder.

Debian builds slurmd with multiple-slurmd, so `-N` starts a node by its name. The nodes state more memory than they may
have, and a pretended GPU each (a device file that any machine has): what a job asks for and gets is Slurm's own doing,
what it finds there is not. Nothing outside the folder is written, and no service of the machine is touched.
"""

import getpass
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import psutil

NODES = ("node1", "node2")
PROGRAMS = ("slurmctld", "slurmd", "sbatch", "srun", "squeue", "scontrol", "munged")
GPUS = {"node1": "/dev/null", "node2": "/dev/zero"}
SEARCHED = os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/sbin"])

_CONF = """
ClusterName=loopback
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock,cred_expire=30
StateSaveLocation={folder}/state
SlurmctldPidFile={folder}/slurmctld.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdSpoolDir={folder}/%n
SlurmdPidFile={folder}/%n.pid
SlurmdLogFile={folder}/%n.log
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=batch_sched_delay=1,sched_interval=2,bf_interval=2
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
JobCompType=jobcomp/filetxt
JobCompLoc={folder}/ended.txt
GresTypes=gpu
ReturnToService=2
SlurmdTimeout=30
MpiDefault=none
NodeName=node1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs={cpus} RealMemory={memory} Gres=gpu:1
NodeName=node2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs={cpus} RealMemory={memory} Gres=gpu:1
PartitionName=work Nodes=ALL Default=YES State=UP PriorityTier=1
PartitionName=urgent Nodes=ALL State=UP PriorityTier=10 PreemptMode=OFF
"""


def missing() -> list[str]:
    """The programs of Slurm and munge that this machine lacks."""
    return [name for name in PROGRAMS if shutil.which(name, path=SEARCHED) is None]


class Slurm:
    """The cluster; a context manager that ends with all its processes gone."""

    def __init__(self, folder: Path, cpus: int = 4, memory: int = 300000) -> None:
        self.folder = folder
        self.path = os.pathsep.join([str(folder / "bin"), SEARCHED])
        self.environment = {**os.environ, "PATH": self.path, "SLURM_CONF": str(folder / "slurm.conf")}
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}
        for name in ("state", "bin", *NODES):
            (folder / name).mkdir(parents=True)
        # The plugin takes SLURM_CONF, as all of Slurm's variables, from what its jobs start.
        srun = folder / "bin" / "srun"
        srun.write_text(
            f'#!/bin/sh\nSLURM_CONF="{folder}/slurm.conf" exec {shutil.which("srun", path=SEARCHED)} "$@"\n',
            encoding="ascii",
        )
        srun.chmod(0o755)
        (folder / "munge.key").write_bytes(os.urandom(1024))
        (folder / "munge.key").chmod(0o400)
        told = _CONF.format(
            folder=folder, host=socket.gethostname(), user=getpass.getuser(), ports=_free_ports(3), cpus=cpus,
            memory=memory,
        )  # fmt: skip
        (folder / "slurm.conf").write_text(told, encoding="utf-8")
        (folder / "gres.conf").write_text(
            "".join(f"NodeName={node} Name=gpu File={device}\n" for node, device in GPUS.items()),
            encoding="utf-8",
        )

    def __enter__(self) -> "Slurm":
        """Start everything and wait until both nodes are idle; AssertionError where they are not in a minute."""
        place = self.folder
        self._start(
            "munged", "--force", "--foreground", f"--socket={place}/munge.sock", f"--key-file={place}/munge.key",
            f"--pid-file={place}/munged.pid", f"--log-file={place}/munged.log", f"--seed-file={place}/munge.seed",
        )  # fmt: skip
        self._start("slurmctld", "-D")
        for node in NODES:
            self.start_node(node)
        try:
            self.wait_until_idle()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._ours():
            process.kill()
        for daemon in self._daemons.values():
            daemon.wait()

    def start_node(self, node: str) -> None:
        """Start a node's slurmd, the first time or anew."""
        self._start("slurmd", "-D", "-N", node, called=node)

    def wait_until_idle(self) -> None:
        """Wait until no node has work or is down."""
        limit = time.monotonic() + 60
        while self.ask("sinfo", "--noheader", "--format=%T %D", "--partition=work").split() != ["idle", "2"]:
            assert time.monotonic() < limit, (
                f"the nodes are not idle: {self.ask('sinfo')}{self.log()[-2000:]}"
            )
            time.sleep(0.2)

    def ask(self, *words: str) -> str:
        """What a command of Slurm says (both streams)."""
        done = subprocess.run(
            words, env=self.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        return done.stdout

    def node_of(self, comment: str) -> str:
        """The node on which the running job with that comment is; the plugin says rule and wildcards in it."""
        for line in self.ask("squeue", "--noheader", "--states=RUNNING", "--format=%N|%k").splitlines():
            node, _, told = line.partition("|")
            if told.startswith(comment):
                return node
        raise AssertionError(f"no job {comment} is running: {self.ask('squeue')}")

    def kill_slurmd(self, node: str) -> None:
        """`kill -9` of a node's slurmd alone: the steps of its jobs go on, and nobody hears of them."""
        self._daemons[node].kill()
        self._daemons[node].wait()

    def lose(self, node: str) -> None:
        """A node without power: its slurmd, the managers of its steps and all that its jobs had started, at once."""
        self.kill_slurmd(node)
        for process in self.jobs_of(node):
            process.kill()

    def jobs_of(self, node: str) -> list[psutil.Process]:
        """All processes of the jobs on a node, those that manage its steps first."""
        started = [one for one in self._ours() if _environment(one).get("SLURMD_NODENAME") == node]
        managers = {
            parent.pid: parent
            for one in started
            for parent in _parents(one)
            if parent.name().startswith("slurmstepd")
        }
        return [*managers.values(), *started]

    def ended(self) -> list[dict[str, str]]:
        """What Slurm's own list says of the jobs that have ended: JobState, NodeList, Tres, ExitCode and more."""
        lines = (self.folder / "ended.txt").read_text(encoding="utf-8").splitlines()
        return [dict(word.partition("=")[::2] for word in line.split() if "=" in word) for line in lines]

    def log(self) -> str:
        """What the control daemon has logged."""
        return (self.folder / "slurmctld.log").read_text(encoding="utf-8")

    def _start(self, *words: str, called: str = "") -> None:
        name = called or words[0]
        with open(self.folder / f"{name}.said", "ab") as said:
            self._daemons[name] = subprocess.Popen(
                words, env=self.environment, stdout=said, stderr=said, start_new_session=True
            )

    def _ours(self) -> list[psutil.Process]:
        named = str(self.folder / "slurm.conf")
        found = [one for one in psutil.process_iter() if _environment(one).get("SLURM_CONF") == named]
        managers = [
            parent for one in found for parent in _parents(one) if parent.name().startswith("slurmstepd")
        ]
        return [*managers, *(one for one in found if one.pid != os.getpid())]


def _environment(process: psutil.Process) -> dict[str, str]:
    try:
        return process.environ()
    except (psutil.Error, OSError):
        return {}


def _parents(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.parents()
    except psutil.Error:
        return []


def _free_ports(number: int) -> list[int]:
    held = [socket.socket() for _ in range(number)]
    for each in held:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports
