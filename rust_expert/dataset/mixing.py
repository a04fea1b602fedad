"""Drawing one named data set: what it takes of which source, how much of what, in which order."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rust_expert.common.config.dataset import OWN, DatasetSpec, SourceSpec
from rust_expert.common.contracts import Sample
from rust_expert.common.errors import UserError
from rust_expert.dataset.admission import Account, Gate, Others, Split, is_curriculum, refused
from rust_expert.dataset.answers import Key
from rust_expert.dataset.duplicates import answers_of, without_leaks
from rust_expert.dataset.funnel import count_by
from rust_expert.dataset.interleaving import interleaved
from rust_expert.dataset.pools import Pool, in_order, kind_of, ranking, taken
from rust_expert.dataset.quotas import quotas, shared_out, weighted_sizes
from rust_expert.dataset.reading import Reading

log = logging.getLogger(__name__)

Shortages = dict[str, dict[str, int]]


@dataclass(frozen=True)
class Mixed:
    """The rows of a data set in training order, and the account of how they were drawn."""

    train: list[Sample]
    val: list[Sample]
    report: dict[str, Any]


@dataclass
class Part:
    """One source of a data set: its rows that passed, and those that were drawn of them."""

    name: str
    pools: dict[Split, Pool]
    account: Account = field(default_factory=Account)
    drawn: dict[Split, list[Sample]] = field(default_factory=lambda: {"train": [], "val": []})
    shortages: dict[Split, Shortages] = field(default_factory=lambda: {"train": {}, "val": {}})

    @property
    def rows(self) -> int:
        """Training rows drawn."""
        return len(self.drawn["train"])

    def report(self) -> dict[str, Any]:
        """What came in, what passed, what was drawn, and how often a row was laid out again."""
        return {
            **self.account.report(),
            "there": {split: pool.sizes() for split, pool in self.pools.items()},
            "drawn": {split: len(rows) for split, rows in self.drawn.items()},
            "repeated": self.rows - len({sample.id for sample in self.drawn["train"]}),
            "shortages": self.shortages,
        }


def mix(
    samples: Sequence[Sample],
    name: str,
    spec: DatasetSpec,
    reading: Reading,
    others: Others | None = None,
) -> Mixed:
    """Draw the data set `name` from the own rows `samples` and from `others`, which hold each of `spec.sources`.

    `reading` tells what the code of a row is. Rows from crates keep to `task_mix` as exact quotas of `crate_rows`;
    where a task type has too few rows, what is missing is reported and not made up by others. Every draw and the
    order hang on (seed, name, row id) alone: neither on the order of the rows nor on whether a source is streamed.

    Raises UserError for a family that no row has, and where nothing is left to train on.
    """
    _check_families(samples, name, spec)
    own, filters = _own_part(samples, name, spec, reading)
    parts = [own, *_other_parts(samples, name, spec, reading, others)]
    wanted = _wanted(spec)
    own.drawn["train"], own.shortages["train"] = _own_draw(own.pools["train"], wanted, spec)
    _draw_others(parts, spec)
    if not any(part.rows for part in parts):
        raise UserError(
            f"dataset {name}: no row is left to train on (filters: {_all_reasons(parts)}); "
            "ask for other rows or loosen max_chars, strict or families"
        )
    _draw_val(parts, wanted, spec)
    _warn(parts, name)
    train, val, leaks = _laid_out(parts, name, spec, others)
    report = {
        "schema": 2,
        "dataset": name,
        "spec": spec.model_dump(mode="json", by_alias=True),
        "filters": filters,
        "shortages": own.shortages,
        "sources": {part.name: part.report() for part in parts},
        "shares": _shares(parts, spec),
        "preferred": _preferred(train, spec, reading),
        "duplicates_across_split": leaks,
        "train": composition(train),
        "val": composition(val),
    }
    return Mixed(train, val, report)


def _laid_out(
    parts: Sequence[Part], name: str, spec: DatasetSpec, others: Others | None
) -> tuple[list[Sample], list[Sample], int]:
    """Training and validation rows in their order; without, and how many, validation rows like a training row.

    The own rows are free of such leaks since they were cleaned.
    """
    train, val = (
        interleaved([in_order(part.drawn[split], spec.seed, name) for part in parts], spec.interleave)
        for split in ("train", "val")
    )
    if others is None:
        return train, val, 0
    leaks = {found.dropped for found in without_leaks(answers_of([*train, *val]), others.cleaning)[1]}
    kept = [sample for sample in val if sample.id not in leaks]
    return train, kept, len(val) - len(kept)


def _warn(parts: Sequence[Part], name: str) -> None:
    for part in parts:
        for kind, lack in part.shortages["train"].items():
            log.warning(
                "dataset %s: %d rows of %s asked for, %d there", name, lack["asked"], kind, lack["found"]
            )


def _check_families(samples: Sequence[Sample], name: str, spec: DatasetSpec) -> None:
    known = {sample.family for sample in samples if is_curriculum(sample) and sample.family}
    for family in spec.families:
        if spec.curriculum_rows and family not in known:
            raise UserError(
                f"datasets.{name}.families: no row is of family {family}; "
                f"choose among {', '.join(sorted(known))}"
            )


def _all_reasons(parts: Sequence[Part]) -> dict[str, int]:
    """What became of all rows of all sources."""
    total: Counter[str] = Counter()
    for part in parts:
        total += part.account.filtered + Counter(passed=part.account.passed)
    return dict(sorted(total.items()))


def _own_part(
    samples: Sequence[Sample], name: str, spec: DatasetSpec, reading: Reading
) -> tuple[Part, dict[str, dict[str, int]]]:
    """The own rows that pass, and by split how many passed or were filtered for which reason."""
    rank = ranking(spec, name, reading)
    part = Part(OWN, {"train": Pool(rank), "val": Pool(rank)})
    reasons: dict[str, Counter[str]] = {"train": Counter(), "val": Counter()}
    for sample in samples:
        split = sample.split or "train"
        reason = refused(sample, spec, reading)
        if reason is None and not part.pools[split].add(sample, sample.id):
            reason = "duplicate"
        part.account.note(reason)
        reasons[split][reason or "passed"] += 1
    return part, {split: dict(sorted(counts.items())) for split, counts in reasons.items()}


def _other_parts(
    samples: Sequence[Sample], name: str, spec: DatasetSpec, reading: Reading, others: Others | None
) -> list[Part]:
    """The other sources' rows that pass, cleaned as the own rows were; the earlier source keeps a shared row."""
    if others is None:
        return []
    gate = Gate(samples, spec, others, reading)
    parts: list[Part] = []
    for source, told in spec.sources.items():
        part = Part(source, _pools(told, name, spec, reading))
        keys: set[Key] = set()
        for sample, key, split in gate.admitted(others.rows[source], part.account):
            keys.add(key)
            first = part.pools[split].add(sample.model_copy(update={"split": split}), key)
            part.account.note(None if first else "duplicate")
        gate.close(keys)
        parts.append(part)
    return parts


def _pools(source: SourceSpec, name: str, spec: DatasetSpec, reading: Reading) -> dict[Split, Pool]:
    rank = ranking(spec, name, reading)
    if not source.streaming:
        return {"train": Pool(rank), "val": Pool(rank)}
    return {"train": Pool(rank, source.rows), "val": Pool(rank, spec.val_rows)}


def _wanted(spec: DatasetSpec) -> dict[str, int]:
    """Own training rows asked for, by kind: `curriculum`, or a task type of the rows from crates."""
    dealt: dict[str, int] = {
        str(kind): count for kind, count in quotas(spec.crate_rows, spec.weighted_mix()).items()
    }
    return {"curriculum": spec.curriculum_rows, **{kind: count for kind, count in dealt.items() if count}}


def _own_draw(pool: Pool, wanted: Mapping[str, int], spec: DatasetSpec) -> tuple[list[Sample], Shortages]:
    """The rows of each kind, and the kinds that fell short; a weight above 1 lets rows stand for missing ones."""
    there = pool.sizes()
    heavier = {kind: weight for kind, weight in _kind_weights(spec).items() if weight > 1}
    most = weighted_sizes({kind: there.get(kind, 0) for kind in wanted}, heavier)
    shortages = {
        kind: {"asked": count, "found": most[kind]}
        for kind, count in sorted(wanted.items())
        if most[kind] < count
    }
    return taken(pool.ranked(), {kind: min(count, most[kind]) for kind, count in wanted.items()}), shortages


def _kind_weights(spec: DatasetSpec) -> dict[str, float]:
    return {str(kind): weight for kind, weight in spec.task_weights.items()}


def _draw_others(parts: Sequence[Part], spec: DatasetSpec) -> None:
    """Draw the training rows of each other source: all it gives, or as `dataset_weights` have it.

    The first source that the weights name keeps its rows; the others stand to it as their weights do.
    """
    weights = spec.dataset_weights
    first = next((part for part in parts if part.name in weights), None)
    for part in parts[1:]:
        sizes = weighted_sizes(part.pools["train"].sizes(), _kind_weights(spec))
        whole = sum(sizes.values())
        rows = spec.sources[part.name].rows
        most = whole if rows is None else min(rows, whole)
        asked = rows or whole
        if first is not None and part is not first:
            asked = round(first.rows * weights[part.name] / weights[first.name])
        ranked = part.pools["train"].ranked()
        rounds, rest = divmod(min(asked, most * spec.max_repeats), most) if most else (0, 0)
        whole_rounds = taken(ranked, shared_out(most, sizes)) * rounds
        part.drawn["train"] = whole_rounds + taken(ranked, shared_out(rest, sizes))
        if part.rows < asked:
            part.shortages["train"] = {part.name: {"asked": asked, "found": part.rows}}


def _draw_val(parts: Sequence[Part], wanted: Mapping[str, int], spec: DatasetSpec) -> None:
    """Draw the validation rows, of each source in proportion to its training rows."""
    total = sum(part.rows for part in parts)
    dealt = quotas(spec.val_rows, {part.name: part.rows / total for part in parts})
    own, asked = parts[0], sum(wanted.values())
    if asked:
        shares = {kind: count / asked for kind, count in wanted.items()}
        once = spec.model_copy(update={"task_weights": {}})
        own.drawn["val"], own.shortages["val"] = _own_draw(own.pools["val"], quotas(dealt[OWN], shares), once)
    for part in parts[1:]:
        pool, count = part.pools["val"], dealt[part.name]
        part.drawn["val"] = found = taken(pool.ranked(), shared_out(count, pool.sizes()))
        if len(found) < count:
            part.shortages["val"] = {part.name: {"asked": count, "found": len(found)}}


def _shares(parts: Sequence[Part], spec: DatasetSpec) -> dict[str, Any]:
    """Shares among the training rows: of the sources, beside those asked for, and of the kinds of rows."""
    total = sum(part.rows for part in parts)
    weights, whole = spec.dataset_weights, sum(spec.dataset_weights.values())
    kinds = count_by((sample for part in parts for sample in part.drawn["train"]), kind_of)
    return {
        "sources": {
            part.name: {
                "asked": round(weights[part.name] / whole, 4) if part.name in weights else None,
                "achieved": round(part.rows / total, 4),
            }
            for part in parts
        },
        "kinds": {kind: round(count / total, 4) for kind, count in kinds.items()},
    }


def _preferred(train: Sequence[Sample], spec: DatasetSpec, reading: Reading) -> dict[str, float]:
    """What the preferences came to: the share of documented rows and the mean idiomatic score, where asked for."""
    told: dict[str, float] = {}
    if spec.prefer_documented:
        told["documented"] = round(sum(map(reading.is_documented, train)) / len(train), 4)
    if spec.prefer_idiomatic:
        told["idiomatic"] = round(sum(map(reading.idiomatic_score, train)) / len(train), 4)
    return told


def composition(samples: Sequence[Sample]) -> dict[str, Any]:
    """What rows are made of: counts, achieved shares of the task types among rows from crates, characters."""
    crates = [sample for sample in samples if sample.source in (None, "crates")]
    built = [sample for sample in samples if is_curriculum(sample)]
    types = count_by(crates, lambda sample: sample.task_type)
    return {
        "rows": len(samples),
        "curriculum_rows": len(built),
        "crate_rows": len(crates),
        "other_rows": len(samples) - len(built) - len(crates),
        "task_types": types,
        "task_shares": {kind: round(count / len(crates), 4) for kind, count in types.items()},
        "sources": count_by(samples, lambda sample: sample.source),
        "families": count_by(built, lambda sample: sample.family),
        "crates": count_by(crates, lambda sample: sample.source_crate),
        "licenses": count_by((s for s in samples if not is_curriculum(s)), lambda sample: sample.license),
        "characters": sum(len(sample.prompt) + len(sample.gen) for sample in samples),
    }
