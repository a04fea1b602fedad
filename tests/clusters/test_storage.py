"""Results in a store of objects (moto's server on loopback): the data part of the micro chain; a plan for Kubernetes.

For `make test-storage`, which installs the plugins (`tools/clusters.sh`). Snakemake alone finds them; jobs do not.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.workflow.workplace import ROOT, TARGET, Workplace, jobs_in

PLUGINS = ROOT / ".clusters"
PREFIX = "s3://results/micro"
MANIFEST = "results/dataset/broad/manifest.json"
FEW: dict[str, object] = {
    "curriculum": {"tasks": 200},
    "curriculum_shards": 1,
    "datasets": {"broad": {"curriculum_rows": 60, "val_rows": 5}},
}
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_DEFAULT_REGION": "us-east-1"}

REASON = (
    "it takes minutes: `make test-storage` runs it"
    if PLUGINS.is_dir()
    else "the plugins of requirements-clusters.txt are not installed: `make test-storage` installs and runs it"
)
pytestmark = pytest.mark.skipif(
    "RUST_EXPERT_STORAGE" not in os.environ or not PLUGINS.is_dir(), reason=REASON
)

LIST = """
import boto3, sys
bucket = boto3.resource("s3", endpoint_url=sys.argv[1]).Bucket("results")
if len(sys.argv) == 2:
    print(*sorted(each.key for each in bucket.objects.all()), sep="\\n")
else:
    bucket.download_file(sys.argv[2], sys.argv[3])
"""


class Store:
    """The server, and what lies in its bucket `results`."""

    def __init__(self, url: str, environment: dict[str, str]) -> None:
        self.url, self.environment = url, environment

    def python(self, code: str, *words: str) -> str:
        """Run Python with the plugins' packages; returns what it printed."""
        done = subprocess.run(
            [sys.executable, "-c", code, *words], env=self.environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    def keys(self) -> list[str]:
        """The keys of all objects below the prefix."""
        return [key.removeprefix("micro/") for key in self.python(LIST, self.url).split()]

    def read(self, key: str, folder: Path) -> bytes:
        """The bytes of an object."""
        self.python(LIST, self.url, f"micro/{key}", str(folder / "object"))
        return (folder / "object").read_bytes()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    environment = {**os.environ, **CREDENTIALS, "PYTHONPATH": str(PLUGINS)}
    log = tmp_path_factory.mktemp("store") / "log"
    with open(log, "wb") as said:
        server = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-p", str(port)], env=environment, stdout=said, stderr=said
        )
    try:
        limit = time.monotonic() + 120
        while not answers(port):
            assert server.poll() is None and time.monotonic() < limit, log.read_text(encoding="utf-8")
            time.sleep(0.2)
        made = Store(f"http://127.0.0.1:{port}", environment)
        made.python(
            f"import boto3; boto3.client('s3', endpoint_url='{made.url}').create_bucket(Bucket='results')"
        )
        yield made
    finally:
        server.kill()
        server.wait()


def answers(port: int) -> bool:
    with socket.socket() as asked:
        return asked.connect_ex(("127.0.0.1", port)) == 0


def run(place: Workplace, store: Store, *words: str, over: dict[str, object]) -> str:
    """Run Snakemake with results in the store, expecting success; returns what it said."""
    profiles = place.profiles(over)
    told = ["--default-storage-provider", "s3", "--default-storage-prefix", PREFIX]
    told += ["--storage-s3-endpoint-url", store.url]
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", *words, *profiles, *told],
        cwd=place.folder,
        env={**place.environment(), **CREDENTIALS, "PYTHONPATH": str(PLUGINS)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-6000:]
    return done.stdout


def test_the_data_part_lies_in_the_bucket_and_a_second_run_does_nothing(store: Store, tmp_path: Path) -> None:
    here, there = Workplace(tmp_path / "local"), Workplace(tmp_path / "remote")
    jobs = here.build(MANIFEST, overrides=FEW)
    said = run(there, store, MANIFEST, "--cores", "2", over=FEW)
    assert jobs_in(said) == jobs
    made = [
        path.relative_to(here.folder).as_posix()
        for part in ("curriculum", "dataset", "suites", "tasks")
        for path in (here.folder / "results" / part).rglob("*")
        if path.is_file()
    ]
    assert MANIFEST in made and set(made) <= set(store.keys())
    for name in made:
        assert store.read(name, tmp_path) == (here.folder / name).read_bytes(), name
    assert not (there.folder / MANIFEST).exists(), "it is in the bucket alone"
    print(f"\n{len(jobs)} rules, {sum(jobs.values())} jobs, {len(store.keys())} objects in the bucket")
    assert "Nothing to be done" in run(there, store, MANIFEST, "--cores", "2", over=FEW)
    more = {**FEW, "datasets": {"broad": {"curriculum_rows": 50, "val_rows": 5}}}
    assert jobs_in(run(there, store, MANIFEST, "--cores", "2", over=more)) == {"mix": 1}


def test_the_chain_is_planned_for_kubernetes(store: Store, tmp_path: Path) -> None:
    place = Workplace(tmp_path / "repo")
    profile = place.folder / "profiles/kubernetes/config.yaml"
    profile.write_text(
        profile.read_text(encoding="utf-8").replace("s3://BUCKET/rust-expert", "s3://results/planned")
    )
    done = subprocess.run(
        [
            sys.executable, "-m", "snakemake", TARGET, "-n", "--profile", "profiles/kubernetes", "--configfile",
            "config/h100.yaml", "--storage-s3-endpoint-url", store.url,
        ],
        cwd=place.folder,
        env={**place.environment(), **CREDENTIALS, "PYTHONPATH": str(PLUGINS)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]
    jobs = jobs_in(done.stdout)
    print("\n", jobs)
    assert jobs["train_sft"] == 2 and jobs["judge"] == 5 and jobs["items"] == 32
    assert "gpu=1" in done.stdout and "s3://results/planned/results/metrics.json" in done.stdout
