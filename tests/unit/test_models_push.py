"""Pushing: a dry run that tells all, and an upload, tried against a small server that speaks the Hub's words."""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import tiny_exports

ROOT = Path(__file__).resolve().parents[2]
STALE = "model-00001-of-00002.safetensors"


class Hub(ThreadingHTTPServer):
    """What the Hub would know: repositories with their visibility, the files of commits, every request."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.private: dict[str, bool] = {}
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.refuses = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Hub

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def _answer(self, body: bytes) -> None:
        self._say(*self._told(body))

    def _told(self, body: bytes) -> tuple[Any, int]:
        path = self.path.split("?")[0]
        self.server.asked.append(f"{self.command} {path}")
        if self.server.refuses:
            return {"error": "You may not write here"}, self.server.refuses
        if path == "/api/repos/create":
            told = json.loads(body)
            self.server.private[f"{told['organization']}/{told['name']}"] = told["visibility"] == "private"
            return {"url": f"{self.server.address}/{told['organization']}/{told['name']}"}, 200
        if path == "/api/validate-yaml":
            return {"errors": [], "warnings": []}, 200
        _, _, _, owner, name, *rest = [*path.split("/"), ""]
        if f"{owner}/{name}" not in self.server.private:
            return {"error": "Repository not found"}, 404
        if rest[0] == "tree":
            rows = [{"type": "file", "path": one, "size": 1, "oid": "0" * 40} for one in self.server.files]
            return rows, 200
        if rest[0] == "preupload":
            asked = [one["path"] for one in json.loads(body)["files"]]
            rows = [{"path": one, "uploadMode": "regular", "shouldIgnore": False} for one in asked]
            return {"files": rows}, 200
        if rest[0] == "commit":
            for line in body.decode().splitlines():
                row = json.loads(line)
                if row["key"] == "file":
                    self.server.files[row["value"]["path"]] = base64.b64decode(row["value"]["content"])
                elif row["key"] == "deletedFile":
                    del self.server.files[row["value"]["path"]]
            where = f"{self.server.address}/{owner}/{name}/commit/{'a' * 40}"
            return {"success": True, "commitUrl": where, "commitOid": "a" * 40}, 200
        seen = self.server.private[f"{owner}/{name}"]
        return {"id": f"{owner}/{name}", "private": seen, "siblings": []}, 200

    def _say(self, told: Any, status: int) -> None:
        content = json.dumps(told).encode()
        self.send_response(status)
        if status == 404:
            self.send_header("X-Error-Code", "RepoNotFound")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def hub() -> Iterator[Hub]:
    server = Hub()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny export with a card."""
    place = tmp_path_factory.mktemp("export")
    shutil.copytree(tiny_exports.exported_manifest().parent, place / "tiny")
    (place / "tiny" / "model" / "README.md").write_text("---\nlicense: apache-2.0\n---\n# A model\n")
    return place / "tiny" / "model"


def push(
    *words: str, endpoint: str = "http://127.0.0.1:9", token: str | None = "hf_made_up"
) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of the script; by default no server listens there."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "TRANSFORMERS_"))}
    more = {
        "HF_ENDPOINT": endpoint,
        "HF_HUB_DISABLE_XET": "1",
        "HF_HOME": "/nonexistent",
        "PYTHONWARNINGS": "ignore",
    }
    if token:
        more["HF_TOKEN"] = token
    done = subprocess.run(
        [sys.executable, "-m", "scripts.push", *words],
        cwd=ROOT,
        env=kept | more,
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout, done.stderr


def refusal(result: tuple[int, str, str]) -> str:
    """The one sentence of a refusal."""
    code, _, stderr = result
    assert code == 2 and "Traceback" not in stderr, stderr
    (line,) = [line for line in stderr.splitlines() if "error: " in line]
    return line.partition("error: ")[2]


def test_the_dry_run_tells_all_and_asks_nobody(folder: Path, hub: Hub) -> None:
    code, told, log = push(str(folder), "--repo-id", "some/model", endpoint=hub.address, token=None)
    assert code == 0, log
    for path in folder.iterdir():
        assert f"{path.stat().st_size:,}  {path.name}\n" in told
    total = sum(path.stat().st_size for path in folder.iterdir())
    assert f"{total:,}  bytes in {len(list(folder.iterdir()))} files" in told
    assert "to some/model, private" in told and "dry run, nothing was uploaded" in log
    assert "public" in push(str(folder), "--public")[1]
    assert hub.asked == []


def test_an_upload_makes_a_private_repository_and_replaces_old_weights(folder: Path, hub: Hub) -> None:
    code, _, log = push(str(folder), "--repo-id", "some/model", "--yes", endpoint=hub.address)
    assert code == 0, log
    assert hub.private == {"some/model": True}
    assert {name: hashlib.sha256(content).hexdigest() for name, content in hub.files.items()} == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()
    }
    assert f"uploaded: {hub.address}/some/model/commit/" in log
    hub.files = {STALE: b"old", "notes.txt": b"theirs"}
    assert push(str(folder), "--repo-id", "some/model", "--yes", endpoint=hub.address)[0] == 0
    assert set(hub.files) == {path.name for path in folder.iterdir()} | {"notes.txt"}
    assert hub.asked.count("POST /api/repos/create") == 1


def test_a_public_repository_needs_the_word(folder: Path, hub: Hub) -> None:
    hub.private["some/model"] = False
    told = refusal(push(str(folder), "--repo-id", "some/model", "--yes", endpoint=hub.address))
    assert told == "some/model: the repository is public; add --public if everybody may read this"
    assert not hub.files
    assert push(str(folder), "--repo-id", "other/model", "--yes", "--public", endpoint=hub.address)[0] == 0
    assert hub.private["other/model"] is False


def test_without_name_token_or_network_nothing_goes_out(folder: Path, hub: Hub) -> None:
    assert "--repo-id OWNER/NAME" in refusal(push(str(folder), "--yes", endpoint=hub.address))
    for name in ("model", "a/b/c", "a/b c"):
        assert "write OWNER/NAME" in refusal(push(str(folder), "--repo-id", name, endpoint=hub.address))
    there = ("--repo-id", "some/model", "--yes")
    assert "no token" in refusal(push(str(folder), *there, endpoint=hub.address, token=None))
    assert hub.asked == []
    assert "cannot be reached" in refusal(push(str(folder), *there))
    hub.refuses = 403
    told = refusal(push(str(folder), *there, endpoint=hub.address))
    assert "You may not write here" in told and "token may write" in told


def test_only_a_whole_export_with_its_card_goes_out(folder: Path, tmp_path: Path) -> None:
    place = tmp_path / "copy"
    shutil.copytree(folder.parent, place)
    (place / "model" / "README.md").unlink()
    assert "it has no card" in refusal(push(str(place / "model")))
    (place / "model" / "README.md").write_text("# A model\n")
    (place / "model" / "notes.txt").write_text("mine")
    assert "notes.txt: not as it was exported" in refusal(push(str(place / "model")))
    (place / "model" / "notes.txt").unlink()
    (place / "model" / "config.json").write_text("{}")
    assert "config.json: not as it was exported" in refusal(push(str(place / "model")))
    assert "not an exported folder" in refusal(push(str(tmp_path)))
