"""The NeurIPS paper checklist's questions on reproducibility, answered from the files of a run.

The questions are those of items 4 to 8 and 12 to 13 of https://neurips.cc/public/guides/PaperChecklist, in our words.
An answer is worked out from the keys that stand beside it, and from nothing else; a key that is not there is no yes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rust_expert.report.cards.markdown import code, table, text
from rust_expert.report.wording import THIN, count, listed, megabytes, plural, seconds

YES, NO, ABSENT = "yes", "no", "not available"

METRICS, PROVENANCE = "metrics.json", "provenance.json"
MIXES, FUNNEL, DECONTAMINATION = "dataset/*/mix.json", "dataset/funnel.json", "dataset/decontamination.json"
MANIFESTS, EFFECTIVE = "models/*/manifest.json", "models/*/effective.json"
"""Files by their place in the results. Those with a * are read as one mapping, by what stands for the *."""

Answer = tuple[str, str]
"""Yes, no or not available, and what was read, in words."""


@dataclass(frozen=True)
class Question:
    """A question, the keys that answer it (file and path), and how; what is missing is handed over as None."""

    item: str
    asked: str
    keys: Sequence[tuple[str, str]]
    answer: Callable[..., Answer]


def checklist(files: Mapping[str, Any]) -> str:
    """The card, as Markdown; `files` are the contents of those above that there are."""
    parts = [
        "# Reproducibility checklist\n",
        "The questions of the NeurIPS paper checklist that a run can answer by itself. Each answer was worked out from"
        " the keys beside it when the report was made; files are named by their place in the results. What only the"
        " authors of a paper know (claims, ethics, broader impact) is not here.\n",
    ]
    for item in dict.fromkeys(one.item for one in QUESTIONS):
        rows = [_row(one, files) for one in QUESTIONS if one.item == item]
        parts += [f"## {item}\n", table(["question", "answer", "what was read", "read from"], rows)]
    return "\n".join(parts).replace(THIN, " ")


def _row(question: Question, files: Mapping[str, Any]) -> list[str]:
    values = [lookup(files.get(file), path) for file, path in question.keys]
    said, told = question.answer(*values)
    return [
        question.asked,
        f"**{said}**",
        told,
        "; ".join(code(f"{file}: {path}") for file, path in question.keys),
    ]


def lookup(value: Any, path: str) -> Any:
    """The value at a path such as `git.commit`; `*` gathers a key of all entries by their names. None if not there."""
    for number, key in enumerate(keys := path.split(".")):
        if not isinstance(value, Mapping):
            return None
        if key == "*":
            rest = ".".join(keys[number + 1 :])
            found = {name: lookup(each, rest) if rest else each for name, each in value.items()}
            return {name: each for name, each in found.items() if each is not None}
        value = value.get(key)
    return value


def _there(told: Callable[[Any], str], missing: str) -> Callable[[Any], Answer]:
    """Yes where there is a value, in the words of `told`."""
    return lambda value: (YES, told(value)) if value not in (None, {}, [], "") else (ABSENT, missing)


def _commit(commit: str | None, dirty: bool | None) -> Answer:
    if not commit:
        return ABSENT, "the run was not made in a git checkout"
    if dirty or dirty is None:
        return NO, f"commit {code(commit[:12])}, but the tree held changes that no commit has"
    return YES, f"commit {code(commit)}, nothing changed"


def _back(figures: Mapping[str, Any] | None, files: Mapping[str, Mapping[str, Any]] | None) -> Answer:
    if not figures or not files:
        return ABSENT, "no lineage was recorded"
    lost = sum(not file.get("sha256") for file in files.values())
    told = f"{plural(len(figures), 'part')} of metrics.json, {plural(len(files), 'file')} behind them"
    return (NO, f"{told}, {lost} of them without a hash") if lost else (YES, f"{told}, each with its hash")


def _seeds(seeds: Mapping[str, int] | None) -> Answer:
    if not seeds:
        return ABSENT, "the configuration names no seed"
    return YES, f"{plural(len(seeds), 'seed')}: {listed(str(one) for one in sorted(set(seeds.values())))}"


def _address(url: str | None) -> Answer:
    return (YES, text(url)) if url else (NO, "nobody stated cards.url in the profile")


def _data(parts: Mapping[str, int] | None, held: Mapping[str, int] | None) -> Answer:
    if not parts:
        return ABSENT, "no account of a data set"
    told = [f"{name} {count(rows)} + {count((held or {}).get(name, 0))}" for name, rows in parts.items()]
    return YES, f"rows for training + validation: {listed(told)}"


def _settings(read: Mapping[str, Any] | None, trained: Mapping[str, Any] | None) -> Answer:
    stages = [name for name, value in (trained or {}).items() if value]
    missing = [name for name in stages if name not in (read or {})]
    if not stages:
        return ABSENT, "no stage was trained"
    if missing:
        return NO, f"not for {listed(missing)}"
    return YES, f"read back from the trainers of {listed(stages)}"


def _intervals(confidence: float | None, drawn: int | None) -> Answer:
    if confidence is None or not drawn:
        return ABSENT, "no interval is stated"
    return YES, f"{100 * confidence:g} % intervals by bootstrap over problems, {count(drawn)} resamples"


def _tests(comparisons: Sequence[Mapping[str, Any]] | None) -> Answer:
    tested = [one for one in comparisons or () if one.get("p_value") is not None]
    if not tested:
        return NO, "no paired test is stated"
    return YES, f"{plural(len(tested), 'paired comparison')}, each with interval and p-value"


def _corrected(comparisons: Sequence[Mapping[str, Any]] | None) -> Answer:
    keys = {key for one in comparisons or () for key in one}
    found = sorted(key for key in keys if "correct" in key or "adjust" in key)
    return (YES, listed(found)) if found else (NO, "p-values stand as they are, whatever their number")


def _over_seeds(seeds: Sequence[int] | None) -> Answer:
    if isinstance(seeds, Sequence) and len(seeds) > 1:
        return YES, f"{plural(len(seeds), 'seed')} for each stage"
    return NO, "each stage was trained once: the intervals do not cover another training"


def _machine(cpu: str | None, cores: int | None, memory: float | None, gpus: Sequence[Any] | None) -> Answer:
    if not cpu:
        return ABSENT, "the machine was not recorded"
    drivers = [f"{one.get('name')} (driver {one.get('driver')})" for one in gpus or ()]
    return (
        YES,
        f"{text(cpu)}, {cores} cores, {megabytes(memory or 0)}, GPU: {text(listed(drivers) or 'none')}",
    )


def _time(wall: float | None, cpu: float | None, peak: float | None) -> Answer:
    if not wall:
        return ABSENT, "no job was timed"
    return (
        YES,
        f"{seconds(wall)} of all jobs, {seconds(cpu or 0)} of processors, at most {megabytes(peak or 0)}",
    )


def _each(jobs: Mapping[str, Any] | None) -> Answer:
    return (YES, plural(len(jobs), "job")) if jobs else (ABSENT, "no job was timed")


def _energy(read: Sequence[str] | None, reasons: Mapping[str, str] | None) -> Answer:
    if read:
        return YES, f"counters of {listed(read)}, by job"
    told = [f"{kind}: {why}" for kind, why in (reasons or {}).items()]
    return ABSENT, text("; ".join(told) or "not recorded")


def _licences(by_set: Mapping[str, Mapping[str, int]] | None) -> Answer:
    found: dict[str, int] = {}
    for licences in (by_set or {}).values():
        for name, rows in licences.items():
            found[name] = found.get(name, 0) + rows
    if not found:
        return ABSENT, "no row names its licence"
    most = sorted(found, key=lambda name: (-found[name], name))
    shown = listed(f"{text(name)} ({count(found[name])} rows)" for name in most[:6])
    return YES, f"{shown}{f' and {len(most) - 6} more' if len(most) > 6 else ''}"


def _base(origin: str | None, stated: str | None) -> Answer:
    if origin == "scratch":
        return YES, "made by this run: Apache-2.0"
    if stated:
        return YES, text(stated)
    return ABSENT, "nobody stated export.base_license in the profile"


def _apart(rows: int | None, removed: int | None, suites: Mapping[str, Any] | None) -> Answer:
    if rows is None or not suites:
        return ABSENT, "no account of decontamination"
    shared = sum(len(each.get("shared", ())) for each in suites.values())
    told = f"{count(rows)} rows were checked, {count(removed or 0)} removed"
    if shared:
        return NO, f"{told}; {shared} held-out combinations were trained on"
    return YES, told


_RESULTS, _ACCESS, _SETTING = "4. Results can be reproduced", "5. Data and code", "6. Setting and details"
_SURE, _COMPUTE, _ASSETS = "7. Statistical significance", "8. Compute", "12 and 13. Licences and assets"

QUESTIONS = [
    Question(_RESULTS, "Can each figure be followed back to what it was made from?",
             [(PROVENANCE, "figures"), (PROVENANCE, "files")], _back),
    Question(_RESULTS, "Are all random choices seeded?", [(PROVENANCE, "seeds")], _seeds),
    Question(_RESULTS, "Is the whole configuration kept?", [(PROVENANCE, "config")],
             _there(lambda value: f"{len(value)} sections", "no configuration was recorded")),
    Question(_RESULTS, "Are the versions of all packages kept?", [(PROVENANCE, "packages")],
             _there(lambda value: plural(len(value), "package"), "no package was recorded")),
    Question(_RESULTS, "Is the compiler that judges named?", [(PROVENANCE, "tools.rustc")],
             _there(text, "rustc was not recorded")),
    Question(_ACCESS, "Is the code that ran identified?",
             [(PROVENANCE, "git.commit"), (PROVENANCE, "git.dirty")], _commit),
    Question(_ACCESS, "Is there a page where the data are published?",
             [(PROVENANCE, "config.cards.url")], _address),
    Question(_SETTING, "Are data and splits stated?",
             [(MIXES, "*.train.rows"), (MIXES, "*.val.rows")], _data),
    Question(_SETTING, "Are the settings that took effect in training stated?",
             [(EFFECTIVE, "*"), (MANIFESTS, "*.trained")], _settings),
    Question(_SETTING, "Were problems of the suites kept out of the training data?",
             [(DECONTAMINATION, "rows_checked"), (DECONTAMINATION, "removed"),
              (DECONTAMINATION, "suites.*.combinations")], _apart),
    Question(_SURE, "Does each figure have an interval, and is its method stated?",
             [(METRICS, "confidence"), (METRICS, "bootstrap")], _intervals),
    Question(_SURE, "Are differences tested, paired?", [(METRICS, "comparisons")], _tests),
    Question(_SURE, "Are the tests corrected for their number?", [(METRICS, "comparisons")], _corrected),
    Question(_SURE, "Do the figures vary over several trainings?", [(PROVENANCE, "config.seeds")], _over_seeds),
    Question(_COMPUTE, "Is the machine described?",
             [(PROVENANCE, "machine.cpu"), (PROVENANCE, "machine.cores_usable"),
              (PROVENANCE, "machine.memory_mb"), (PROVENANCE, "machine.gpus")], _machine),
    Question(_COMPUTE, "Are time and memory of the whole run stated?",
             [(PROVENANCE, "total.wall_s"), (PROVENANCE, "total.cpu_s"),
              (PROVENANCE, "total.peak_memory_mb")], _time),
    Question(_COMPUTE, "And of each job?", [(PROVENANCE, "jobs")], _each),
    Question(_COMPUTE, "Is the energy stated?",
             [(PROVENANCE, "energy.read"), (PROVENANCE, "energy.not_read")], _energy),
    Question(_COMPUTE, "And what was spent on runs that failed or are not shown?",
             [(PROVENANCE, "earlier_runs")],
             _there(str, "only jobs whose results stand are counted")),
    Question(_ASSETS, "Are the licences of the training data stated?", [(MIXES, "*.train.licenses")], _licences),
    Question(_ASSETS, "Is the licence of the base model stated?",
             [(PROVENANCE, "config.base.from"), (PROVENANCE, "config.export.base_license")], _base),
    Question(_ASSETS, "Is it counted what was left out of the data, and why?", [(FUNNEL, "steps")],
             _there(lambda value: plural(len(value), "step"), "no account of cleaning")),
]  # fmt: skip
