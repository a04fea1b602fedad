"""The steps of Dockerfile, run in a bare Debian without a container engine: what they leave plans, builds and judges.

As root, with debootstrap, gigabytes and minutes: `make test-image` runs it. What it does not try is an engine: its base
image, its layers and its switches. Network settings and certificates are those of this machine.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from dockerfile_parse import DockerfileParser

ROOT = Path(__file__).resolve().parents[2]
NETWORK = re.compile(r"PIP_|UV_|\w+_proxy$|\w+_PROXY$|SSL_CERT_FILE$|REQUESTS_CA_BUNDLE$|CURL_CA_BUNDLE$")
ENTER = """
set -e
mount --bind "$1" "$1"
cd "$1"
mount --rbind /proc proc && mount --rbind /dev dev && mount --rbind /sys sys
mount --bind /etc/resolv.conf etc/resolv.conf
mkdir -p var/cache/uv && mount --bind "$2" var/cache/uv
[ -z "$MASKED" ] || mount --bind /dev/null proc/version
pivot_root . mnt
umount -l /mnt
shift 2
exec chroot --userspec="$1" / /usr/bin/env -i "HOME=$2" sh -c 'cd "$1"; shift; exec "$@"' sh "$3" "${@:4}"
"""
"""Not chroot alone: in a chroot nobody can make a user namespace."""

pytestmark = [
    pytest.mark.skipif(
        not os.environ.get("RUST_EXPERT_TEST_IMAGE"), reason="gigabytes of packages: make test-image"
    ),
    pytest.mark.skipif(
        os.geteuid() != 0 or shutil.which("debootstrap") is None,
        reason="needs root and debootstrap (apt-get install debootstrap)",
    ),
]


class Image:
    """A root folder as the instructions of Dockerfile make it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        self.context = folder / "context"
        self.environment: dict[str, str] = {}
        self.user, self.place = "root", "/"
        self.entry: list[str] = []
        self.words: list[str] = []
        subprocess.run(["git", "clone", "--quiet", "--no-local", str(ROOT), str(self.context)], check=True)
        with open(ROOT / "Dockerfile", "rb") as recipe:
            steps = DockerfileParser(fileobj=recipe, env_replace=False).structure
        for step in steps:
            if step["instruction"] != "COMMENT":
                getattr(self, f"do_{step['instruction'].lower()}")(step["value"])

    def do_from(self, value: str) -> None:
        suite = re.fullmatch(r"debian:(\w+)-slim", value)
        assert suite
        subprocess.run(["debootstrap", "--variant=minbase", suite[1], str(self.root)], check=True)
        own = Path("/usr/local/share/ca-certificates")
        shutil.copytree(own, self.root / own.relative_to("/"), dirs_exist_ok=True)

    def do_env(self, value: str) -> None:
        self.environment.update(word.split("=", 1) for word in value.replace("\\\n", " ").split())

    def do_copy(self, value: str) -> None:
        *sources, target = value.split()
        place = self.root / target.lstrip("/")
        for source in sources:
            if (self.context / source).is_dir():
                shutil.copytree(self.context / source, place, symlinks=True, dirs_exist_ok=True)
            else:
                place.mkdir(parents=True, exist_ok=True)
                shutil.copy(self.context / source, place)

    def do_run(self, value: str) -> None:
        ended = self.start("sh", "-c", value)
        assert ended.returncode == 0, ended.stdout[-5000:]

    def do_workdir(self, value: str) -> None:
        self.place = value

    def do_user(self, value: str) -> None:
        self.user = value

    def do_entrypoint(self, value: str) -> None:
        self.entry = json.loads(value)

    def do_cmd(self, value: str) -> None:
        self.words = json.loads(value)

    def start(self, *words: str, masked: bool = False) -> subprocess.CompletedProcess[str]:
        """Run a command in the image as its user, /proc masked as engines do; both streams are in stdout."""
        cache = subprocess.run(
            [Path(sys.executable).parent / "uv", "cache", "dir"], capture_output=True, text=True, check=True
        ).stdout.strip()
        settings = {key: value for key, value in os.environ.items() if NETWORK.match(key)}
        settings |= {"PATH": os.defpath, "UV_CACHE_DIR": "/var/cache/uv", "UV_LINK_MODE": "copy"}
        settings |= self.environment
        home = "/root" if self.user == "root" else "/home/expert"
        return subprocess.run(
            ["unshare", "--mount", "bash", "-c", ENTER, "bash", str(self.root), cache, self.user, home, self.place,
             "env", *(f"{key}={value}" for key, value in settings.items()), *words],
            env={**os.environ, "MASKED": "1" if masked else ""},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    folder = tmp_path_factory.mktemp("image")
    yield Image(folder)
    # Mounts were in namespaces of their own; should one be here all the same, nothing is removed below it.
    assert not any(os.path.ismount(folder / "root" / name) for name in ("proc", "dev", "sys", "var/cache/uv"))
    shutil.rmtree(folder)


def test_it_plans_and_knows_its_commit(image: Image) -> None:
    ended = image.start(*image.entry, "-n", *image.words)
    assert ended.returncode == 0 and "results/metrics.json" in ended.stdout, ended.stdout[-3000:]
    commit = ["git", "-C", str(image.context), "rev-parse", "HEAD"]
    head = subprocess.run(commit, capture_output=True, text=True, check=True).stdout
    assert image.start("git", "-C", "/opt/rust-expert", "rev-parse", "HEAD").stdout == head
    assert image.start("git", "-C", "/opt/rust-expert", "status", "--porcelain").stdout == ""


def test_it_has_what_the_locks_say(image: Image) -> None:
    """The doctor compares packages with the lock, and has the judge's probe try the rooms."""
    ended = image.start("sh", "-c", "cd /opt/rust-expert && python -m scripts.doctor --offline")
    assert ended.returncode == 0, ended.stdout
    for told in (
        "packages    as requirements.lock says",
        "promises kept",
        "everything that is needed is there",
    ):
        assert told in ended.stdout, ended.stdout
    ended = image.start("sh", "-c", "cd /opt/rust-expert && rustup show active-toolchain")
    channel = tomllib.loads((ROOT / "rust-toolchain.toml").read_text(encoding="utf-8"))["toolchain"][
        "channel"
    ]
    assert ended.returncode == 0 and ended.stdout.startswith(f"{channel}-"), ended.stdout


def test_its_user_judges(image: Image) -> None:
    """A right and a wrong answer; and without the engine's switches nothing is judged, and a sentence says so."""
    problem = json.loads((ROOT / "suites/core.jsonl").read_text(encoding="utf-8").splitlines()[0])
    answers = [problem["prompt"] + problem["canonical_solution"], "fn nothing() {}"]
    rows = [json.dumps({"task_id": problem["task_id"], "completion": one}) for one in answers]
    here = image.root / "run-here"
    (here / "samples.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    words = ["env", "PYTHONPATH=/opt/rust-expert", "python", "-m", "scripts.judge", "samples.jsonl"]
    words += ["--suite", "/opt/rust-expert/suites/core.jsonl", "--out", "verdicts.jsonl"]
    refused = image.start(*words, masked=True)
    assert refused.returncode == 2 and "--security-opt systempaths=unconfined" in refused.stdout, (
        refused.stdout
    )
    assert not (here / "verdicts.jsonl").exists()
    ended = image.start(*words)
    assert ended.returncode == 0, ended.stdout[-3000:]
    verdicts = [
        json.loads(line) for line in (here / "verdicts.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert [one["status"] for one in verdicts] == ["passed", "compile_error"]
