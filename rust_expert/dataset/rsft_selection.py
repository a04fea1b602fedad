"""Rejection sampling: which of a model's own answers it is trained on."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rust_expert.common.config.rsft import RsftKeep
from rust_expert.common.contracts import Completion, Problem, Sample, Verdict
from rust_expert.common.errors import UserError
from rust_expert.common.files import sha256_text
from rust_expert.dataset.mixing import composition
from rust_expert.dataset.normal import plain_code
from rust_expert.dataset.shards import drawn

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Selected:
    """The rows to train on, in training order, and the account of every sample."""

    train: list[Sample]
    report: dict[str, Any]


def check_verdicts(completions: Sequence[Completion], verdicts: Sequence[Verdict]) -> None:
    """Each completion has one verdict, given on that very text, and no verdict stands alone.

    Raises UserError naming the first that does not fit.
    """
    texts: dict[tuple[str, int], Completion] = {}
    for completion in completions:
        key = completion.task_id, completion.sample
        if key in texts:
            raise UserError(f"sample {key[1]} of {key[0]} stands twice in the completions; sample again")
        texts[key] = completion
    judged: set[tuple[str, int]] = set()
    for verdict in verdicts:
        key = verdict.task_id, verdict.sample
        if key in judged:
            raise UserError(f"sample {key[1]} of {key[0]} was judged twice; judge again")
        if key not in texts:
            raise UserError(f"the verdict on sample {key[1]} of {key[0]} has no completion; judge again")
        if verdict.completion_sha256 and verdict.completion_sha256 != _digest(texts[key].completion):
            raise UserError(f"the verdict on sample {key[1]} of {key[0]} is on another text; judge again")
        judged.add(key)
    if missing := sorted(texts.keys() - judged):
        raise UserError(f"sample {missing[0][1]} of {missing[0][0]} has no verdict; judge again")


def _digest(completion: str) -> str:
    """As the judge takes it: what is no Unicode counts as a question mark."""
    return sha256_text(completion.encode("utf-8", "replace").decode())


def faults(verdict: Verdict, keep: RsftKeep) -> list[str]:
    """Every reason not to train on a judged answer, the gravest first; empty where there is none.

    A score that a threshold asks for and the judge did not give is a fault as well.
    """
    found: list[str] = []
    if verdict.status in ("judge_error", "no_code", "policy_violation"):
        found.append(verdict.status)
    if not verdict.code.strip():
        found.append("no_code")
    if keep.compiled and not verdict.compiled:
        found.append("not compiled")
    if keep.tests and verdict.status != "passed":
        found.append("tests not passed")
    if keep.max_clippy is not None:
        if verdict.clippy_warnings is None:
            found.append("not linted")
        elif verdict.clippy_warnings > keep.max_clippy:
            found.append("too many clippy warnings")
    if keep.min_idiomatic is not None:
        if verdict.idiomatic is None:
            found.append("no idiomatic score")
        elif verdict.idiomatic < keep.min_idiomatic:
            found.append("not idiomatic enough")
    if keep.min_documented is not None:
        if verdict.documented is None:
            found.append("no documentation score")
        elif verdict.documented < keep.min_documented:
            found.append("not documented enough")
    return list(dict.fromkeys(found))


def select(
    problems: Sequence[Problem],
    completions: Sequence[Completion],
    verdicts: Sequence[Verdict],
    parent_rows: Sequence[Sample],
    stage: str,
    keep: RsftKeep,
) -> Selected:
    """Keep what passes, at most `per_prompt` distinct answers a prompt, the cleanest first; mix in parent's.

    Nothing kept gives no rows at all, and the report says so. Raises UserError where problems, completions
    and verdicts do not belong together.
    """
    check_verdicts(completions, verdicts)
    asked = {problem.task_id: problem for problem in problems}
    texts = {(one.task_id, one.sample): one.completion for one in completions}
    by_prompt: dict[str, list[Verdict]] = {}
    first: Counter[str] = Counter()
    every: Counter[str] = Counter()
    for verdict in sorted(verdicts, key=lambda one: (one.task_id, one.sample)):
        if verdict.task_id not in asked:
            raise UserError(f"the verdicts name {verdict.task_id}, which is no problem here; sample again")
        found = faults(verdict, keep)
        every.update(found)
        if found:
            first[found[0]] += 1
        else:
            by_prompt.setdefault(verdict.task_id, []).append(verdict)
    kept: dict[str, Sample] = {}
    for task, able in by_prompt.items():
        for verdict, reason in _best(able, keep.per_prompt):
            first[reason] += 1
            if reason == "kept":
                row = _as_sample(asked[task], verdict, texts[task, verdict.sample])
                kept[row.id] = row
    mixed = _parents(kept, parent_rows, stage, keep) if kept else []
    report = {
        "schema": 1,
        "stage": stage,
        "keep": keep.model_dump(mode="json"),
        "prompts": len(problems),
        "samples": len(verdicts),
        "outcomes": dict(sorted(first.items())),
        "faults": dict(sorted(every.items())),
        "kept": len(kept),
        "prompts_with_kept": len({task for task, able in by_prompt.items() if able}),
        "parent_rows": len(mixed),
        "trains": bool(kept),
        "reason": None if kept else f"none of {len(verdicts)} samples was fit to be kept",
        "train": composition([*kept.values(), *mixed]),
    }
    if not kept:
        log.warning("%s: %s; the parent's weights will be passed on", stage, report["reason"])
    return Selected(drawn([*kept.values(), *mixed], None, keep.seed, stage, "order"), report)


def _best(able: Sequence[Verdict], most: int) -> list[tuple[Verdict, str]]:
    """Each fit answer to one prompt with what becomes of it: kept, duplicate, or one too many."""
    ranked = sorted(
        able,
        key=lambda one: (one.clippy_warnings or 0, -(one.idiomatic or 0), -(one.documented or 0), one.sample),
    )
    seen: set[str] = set()
    told: list[tuple[Verdict, str]] = []
    for verdict in ranked:
        form = plain_code(verdict.code)
        if form in seen:
            told.append((verdict, "duplicate"))
        elif len(seen) >= most:
            told.append((verdict, "enough for its prompt"))
        else:
            seen.add(form)
            told.append((verdict, "kept"))
    return told


def _answer(verdict: Verdict, raw: str) -> str:
    """What to train on: the answer as the model wrote it where it is nothing but code, else the code taken from it.

    The judge puts in front what the prompt defines (types, imports); that is no part of an answer.
    """
    written = plain_code(raw)
    return raw.strip() if written and plain_code(verdict.code).endswith(written) else verdict.code.strip()


def _as_sample(problem: Problem, verdict: Verdict, raw: str) -> Sample:
    claims = ["answer compiles"] if verdict.compiled else []
    if verdict.status == "passed":
        claims.append("tests pass")
    return Sample.make(
        prompt=problem.prompt,
        gen=_answer(verdict, raw),
        split="train",
        task_type="code_generation",
        source="curriculum" if problem.combination is not None else None,
        template="rsft",
        verified=claims,
        family=problem.category,
        combination=problem.combination,
        entry_point=problem.entry_point or None,
        tests=problem.test or None,
    )


def _parents(
    kept: Mapping[str, Sample], parent_rows: Sequence[Sample], stage: str, keep: RsftKeep
) -> list[Sample]:
    """As many of the parent's training rows as make up `mix_ratio` of the whole, none that is also kept."""
    others = [row for row in parent_rows if row.split != "val" and row.id not in kept]
    wanted = round(len(kept) * keep.mix_ratio / (1 - keep.mix_ratio))
    if len(others) < wanted:
        log.warning("%s: %d of the parent's rows asked for, %d are there", stage, wanted, len(others))
    return drawn(others, wanted, keep.seed, stage, "parent")
