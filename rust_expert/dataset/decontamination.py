"""Which samples give away a problem of an evaluation suite.

A sample is removed where
- its solution, in question or answer, is a problem's canonical one up to the names its author chose;
- its question is a problem's, word for word;
- it shares a run of ten words with a problem's texts. Where sample and problem both carry a combination they
  are of one generator and held out from each other by construction: their likeness is intended, and this
  check is replaced by another: the combinations must differ. Nothing here depends on what a suite is called
  (docs/decisions/031-decontamination.md).
"""

from collections import defaultdict
from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from rust_expert.common.contracts import Problem, Sample
from rust_expert.common.errors import UserError
from rust_expert.common.tables import read_jsonl
from rust_expert.dataset.grams import GramIndex
from rust_expert.dataset.lexing import PUNCT, code_tokens
from rust_expert.dataset.normal import alpha_tokens, functions, plain_text, solution_forms
from rust_expert.dataset.outlines import Outlines, outline_of
from rust_expert.dataset.sightings import Wanted, sightings_in, sums_of_words

Reason = Literal["same combination", "same solution", "same question", "shared run of words"]

_NONE: Set[str] = frozenset()

_SHOWN = 300
"""Characters of matched text in the report."""


@dataclass(frozen=True)
class Match:
    """One sample that gives a problem away, and by what."""

    row: str
    problem: str
    reason: Reason
    matched: str


@dataclass
class Suite:
    """The problems of one evaluation suite."""

    name: str
    problems: list[Problem] = field(default_factory=list)


def read_suites(files: Sequence[str]) -> list[Suite]:
    """Read suite files, each given as NAME=PATH, or as a path whose file name without its ending is the name.

    Raises UserError for a broken row, for two suites of one name, and for a suite with two problems of one
    name.
    """
    suites: dict[str, Suite] = {}
    for given in files:
        name, _, path = given.rpartition("=")
        name = name or Path(path).stem
        if name in suites:
            raise UserError(f"{path}: a second suite called {name}; give it another name")
        suites[name] = Suite(name, read_jsonl(path, Problem))
        seen: set[str] = set()
        for problem in suites[name].problems:
            if problem.task_id in seen:
                raise UserError(f"{path}: two problems are called {problem.task_id}; rename one of them")
            seen.add(problem.task_id)
    return list(suites.values())


def problem_code(problem: Problem) -> str:
    """The canonical program.

    A canonical solution that is whole stands alone; one that is a body continues the declaration, or else the
    prompt.
    """
    parts = code_tokens(problem.canonical_solution)
    depth = sum((word == "{") - (word == "}") for kind, word in parts if kind == PUNCT)
    if depth == 0 and functions(parts):
        return problem.canonical_solution
    return (problem.declaration or problem.prompt) + problem.canonical_solution


def problem_form(problem: Problem) -> str:
    """The alpha form of the canonical program; empty where it has no function, or where the problem has no solution."""
    return " ".join(_tokens_of(problem, problem_code(problem)))


def _tokens_of(problem: Problem, code: str) -> list[str]:
    if not problem.canonical_solution.strip():
        return []
    parts = code_tokens(code)
    return alpha_tokens(parts) if functions(parts) else []


class SuiteIndex:
    """One suite, ready to be compared with many samples. `tokens`: those of each problem's `problem_form`."""

    def __init__(self, suite: Suite, gram_words: int) -> None:
        self.suite = suite
        problems = suite.problems
        self._forms: dict[str, Problem] = {}
        self._questions: dict[str, Problem] = {}
        self._combinations: dict[str, Problem] = {}
        codes = [problem_code(problem) for problem in problems]
        self.tokens = [_tokens_of(problem, code) for problem, code in zip(problems, codes, strict=True)]
        self.outlines = [outline_of(tokens) for tokens in self.tokens if tokens]
        for problem, tokens in zip(problems, self.tokens, strict=True):
            if tokens:
                self._forms.setdefault(" ".join(tokens), problem)
            self._questions.setdefault(plain_text(problem.prompt), problem)
            if problem.combination is not None:
                self._combinations.setdefault(problem.combination, problem)
        # What gives a problem away, each text by itself: question with solution, and tests.
        texts = [[one.prompt, code, one.test] for one, code in zip(problems, codes, strict=True)]
        free = [place for place, problem in enumerate(problems) if problem.combination is None]
        self._free = [problems[place] for place in free]
        self._grams_of_all = self._grams_of_free = GramIndex(texts, gram_words)
        if len(free) < len(problems):
            self._grams_of_free = GramIndex([texts[place] for place in free], gram_words)

    @property
    def combinations(self) -> set[str]:
        """The combinations that the suite asks for."""
        return set(self._combinations)

    @property
    def questions(self) -> list[str]:
        """What the problems ask, with single spaces."""
        return list(self._questions)

    @property
    def grams(self) -> GramIndex:
        """The runs of words of all problems."""
        return self._grams_of_all

    def matches(self, rows: "Rows") -> list[Match]:
        """The first match of each row that has one, in their order."""
        found: dict[int, Match] = {}
        for place, sample in enumerate(rows.samples):
            match = self._direct(sample, rows.forms.get(place, _NONE), place in rows.questions)
            if match is not None:
                found[place] = match
        built = {place for place, sample in enumerate(rows.samples) if sample.combination is not None}
        for index, problems, is_built in (
            (self._grams_of_free, self._free, True),
            (self._grams_of_all, self.suite.problems, False),
        ):
            for hit in index.shared(rows.texts, rows.seen):
                place = hit.text // 2
                if place not in found and (place in built) is is_built:
                    task = problems[hit.problem].task_id
                    found[place] = Match(rows.samples[place].id, task, "shared run of words", hit.run)
        return [found[place] for place in sorted(found)]

    def _direct(self, sample: Sample, forms: Set[str], may_ask: bool) -> Match | None:
        if sample.combination is not None and sample.combination in self._combinations:
            problem = self._combinations[sample.combination]
            return Match(sample.id, problem.task_id, "same combination", sample.combination)
        same = [form for form in forms if form in self._forms]
        if same:
            problem = self._forms[min(same)]
            return Match(sample.id, problem.task_id, "same solution", _short(problem_code(problem)))
        if may_ask and (question := plain_text(sample.prompt)) in self._questions:
            return Match(sample.id, self._questions[question].task_id, "same question", _short(question))
        return None


class Rows:
    """Rows, and what in them may give a problem of any of the suites away.

    `forms`: the alpha forms of the code of rows that may hold a solution; `questions`: rows that may ask a problem's
    question; no row that does is missing. `texts` are the two texts of each row, one row after the other.
    """

    def __init__(self, samples: Sequence[Sample], indexes: Sequence[SuiteIndex]) -> None:
        self.samples = samples
        self.texts = [text for sample in samples for text in (sample.prompt, sample.gen)]
        self.seen = sightings_in(self.texts, _wanted(indexes))
        self.forms: dict[int, set[str]] = defaultdict(set)
        for text in self.seen.outlined:
            self.forms[text // 2] |= solution_forms(self.texts[text])
        self.questions = {text // 2 for text in self.seen.questions if text % 2 == 0}


def _wanted(indexes: Sequence[SuiteIndex]) -> Wanted:
    """What all suites look for, together."""
    questions = set(sums_of_words([question for index in indexes for question in index.questions]))
    return Wanted(
        size=indexes[0].grams.size if indexes else 1,
        runs=np.concatenate([np.zeros(0, dtype=np.uint64), *(index.grams.runs() for index in indexes)]),
        questions=np.array(sorted(questions), dtype=np.uint64),
        outlines=Outlines(outline for index in indexes for outline in index.outlines),
    )


def _short(text: str) -> str:
    plain = plain_text(text)
    return plain if len(plain) <= _SHOWN else plain[: _SHOWN - 1] + "…"
