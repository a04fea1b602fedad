"""How to run it again, and where the run differs from what its configuration declares."""

from collections.abc import Mapping, Sequence
from typing import Any

from rust_expert.report.html import Html, el
from rust_expert.report.page.parts import card, folded, section, table
from rust_expert.report.wording import plural, seconds

PROFILE = "python -c \"import json; print(json.dumps(json.load(open('provenance.json'))['config']))\" > this-run.yaml"
"""The effective configuration as a profile; JSON is YAML too."""


def rerun_section(
    provenance: Mapping[str, Any], told: Sequence[str], excluded: Mapping[str, Mapping[str, str]]
) -> Html:
    """The commands for a rerun, deviations `told` in a sentence each, and by suite the problems that were left out."""
    return section(
        "rerun",
        "Run it again",
        "Two runs on one machine give the same bytes on a CPU. On a GPU the samples may differ; they are kept, and"
        " judging them again gives the same figures anywhere.",
        card("Commands", el("pre", el("code", _commands(provenance)), tabindex="0"), note=_cost(provenance)),
        card(
            "Different from what was declared",
            el("ul", (el("li", one) for one in told))
            if told
            else el("p", "Nothing: every stage was trained for its steps, every data set has its rows, and every"
                    " problem and answer was judged."),
            *(_left_out(suite, problems) for suite, problems in sorted(excluded.items()) if problems),
        ),
    )  # fmt: skip


def _commands(provenance: Mapping[str, Any]) -> str:
    commit = str((provenance.get("git") or {}).get("commit") or "")[:12]
    lines = [
        "# the configuration of this run, out of provenance.json beside this page",
        PROFILE,
        "# all of it again, in a clone",
        *([f"git checkout {commit}"] if commit else []),
        'make run ARGS="--configfile this-run.yaml"',
        "# or the judging alone, without a GPU: samples packed by make release",
        "make verify RELEASE=release.tar.gz",
    ]
    return "\n".join(lines)


def _cost(provenance: Mapping[str, Any]) -> str | None:
    total, machine = provenance.get("total") or {}, provenance.get("machine") or {}
    if not total.get("wall_s"):
        return None
    where = f" on {machine['cpu']}" if machine.get("cpu") else ""
    return f"All jobs one after the other took {seconds(float(total['wall_s']))}{where}."


def _left_out(suite: str, problems: Mapping[str, str]) -> Html:
    return folded(
        f"{plural(len(problems), 'problem')} of {suite} left out",
        table(("Problem", "Why"), sorted(problems.items()), caption=f"Problems of {suite} that judge nobody"),
    )
