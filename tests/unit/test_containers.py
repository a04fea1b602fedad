"""The recipes of images: they parse, say the same, and hold no version of their own beside the locks."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from dockerfile_parse import DockerfileParser

ROOT = Path(__file__).resolve().parents[2]
HADOLINT = Path(sys.executable).parent / "hadolint"


def docker() -> list[tuple[str, str]]:
    """Each instruction of the Dockerfile with its words."""
    with open(ROOT / "Dockerfile", "rb") as recipe:
        steps = DockerfileParser(fileobj=recipe, env_replace=False).structure
    return [(step["instruction"], step["value"]) for step in steps if step["instruction"] != "COMMENT"]


def apptainer() -> dict[str, str]:
    """The sections of apptainer.def, without the indentation; its header under an empty name."""
    text = (ROOT / "apptainer.def").read_text(encoding="utf-8")
    parts = re.split(r"^%(\w+)$", text, flags=re.MULTILINE)
    sections = {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}
    return {name: re.sub(r"^    ", "", body, flags=re.MULTILINE).strip() for name, body in sections.items()}


def exported(text: str) -> dict[str, str]:
    return dict(re.findall(r"(\w+)=(\S+)", text))


def findings(recipe: str) -> list[str]:
    told = subprocess.run([HADOLINT, "--format", "json", "-"], input=recipe, capture_output=True, text=True)
    return [f"{one['code']} {one['message']}" for one in json.loads(told.stdout)]


def test_hadolint_finds_nothing() -> None:
    assert findings((ROOT / "Dockerfile").read_text(encoding="utf-8")) == []


def test_hadolint_finds_faults() -> None:
    told = findings("FROM debian:latest\nRUN sudo true; for x in 1; do\nCOPY a\n")
    assert told, "a recipe that does not parse"
    told = findings('FROM debian:latest\nRUN sudo true && echo "$x" | wc\n')
    assert {one.split()[0] for one in told} >= {"DL3007", "DL3004"}


def test_both_recipes_say_the_same() -> None:
    steps, sections = docker(), apptainer()
    (base,) = (value for name, value in steps if name == "FROM")
    assert f"Bootstrap: docker\nFrom: {base}" in sections[""]
    (settings,) = (value for name, value in steps if name == "ENV")
    assert exported(settings) == exported(sections["environment"])
    assert exported(sections["post"]).items() <= exported(settings).items()
    script = "sh /opt/rust-expert/tools/image.sh"
    assert ("RUN", script) in steps and sections["post"].endswith(script)
    (entry,) = (json.loads(value) for name, value in steps if name == "ENTRYPOINT")
    (words,) = (json.loads(value) for name, value in steps if name == "CMD")
    assert f"set -- {' '.join(words)}" in sections["runscript"]
    assert f'exec {" ".join(entry)} "$@"' in sections["runscript"]


def test_what_the_packages_layer_reads_is_copied_before_it() -> None:
    steps = docker()
    before = steps[: steps.index(("RUN", "sh /opt/rust-expert/tools/image.sh"))]
    copied = {word for name, value in before if name == "COPY" for word in value.split()[:-1]}
    assert copied == {"requirements.lock", "rust-toolchain.toml", "tools"}


@pytest.mark.parametrize("name", ["Dockerfile", "apptainer.def", "tools/image.sh"])
def test_no_second_list_of_versions(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert not re.search(r"\d+\.\d+|[<>=]=", text)
    assert "pip install" not in text and "toolchain install" not in text, "that is tools/setup.sh"


def test_the_shell_can_read_it() -> None:
    texts = [value for name, value in docker() if name == "RUN"]
    texts += [apptainer()[name] for name in ("setup", "environment", "post", "runscript")]
    texts += [(ROOT / "tools" / f"{name}.sh").read_text(encoding="utf-8") for name in ("image", "browser")]
    for text in texts:
        ended = subprocess.run(["sh", "-n"], input=text, capture_output=True, text=True)
        assert ended.returncode == 0, f"{text}\n{ended.stderr}"


def test_what_git_ignores_is_in_no_image() -> None:
    def rules(name: str) -> list[str]:
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        return [line for line in lines if line and not line.startswith("#")]

    # Without a slash git means any depth, docker the top alone.
    expected = [
        line.removeprefix("/") if "/" in line.rstrip("/") else f"**/{line}" for line in rules(".gitignore")
    ]
    assert rules(".dockerignore") == expected
