"""Which samples give away a problem of an evaluation suite.

A sample is removed where
- its solution, in question or answer, is a problem's canonical one up to the names its author chose;
- its question is a problem's, word for word;
- it shares a run of ten words with a problem's texts. Where sample and problem both carry a combination they
  are of one generator and held out from each other by construction: their likeness is intended, and this
  check is replaced by another: the combinations must differ. Nothing here depends on what a suite is called
  (docs/decisions/031-decontamination.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from rust_expert.common.contracts import Problem, Sample
from rust_expert.common.errors import UserError
from rust_expert.common.tables import read_jsonl
from rust_expert.dataset.grams import GramIndex
from rust_expert.dataset.lexing import PUNCT, code_tokens
from rust_expert.dataset.normal import alpha_form, functions, plain_text, solution_forms

Reason = Literal["same combination", "same solution", "same question", "shared run of words"]

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
    if not problem.canonical_solution.strip():
        return ""
    parts = code_tokens(problem_code(problem))
    return alpha_form(parts) if functions(parts) else ""


class SuiteIndex:
    """One suite, ready to be compared with many samples."""

    def __init__(self, suite: Suite, gram_words: int) -> None:
        self.suite = suite
        problems = suite.problems
        self._forms: dict[str, Problem] = {}
        self._questions: dict[str, Problem] = {}
        self._combinations: dict[str, Problem] = {}
        for problem in problems:
            if form := problem_form(problem):
                self._forms.setdefault(form, problem)
            self._questions.setdefault(plain_text(problem.prompt), problem)
            if problem.combination is not None:
                self._combinations.setdefault(problem.combination, problem)
        self._free = [problem for problem in problems if problem.combination is None]
        self._grams_of_all = GramIndex([_texts(problem) for problem in problems], gram_words)
        self._grams_of_free = GramIndex([_texts(problem) for problem in self._free], gram_words)

    @property
    def combinations(self) -> set[str]:
        """The combinations that the suite asks for."""
        return set(self._combinations)

    def matches(self, samples: Sequence[Sample], forms: Sequence[set[str]]) -> list[Match]:
        """The first match of each sample that has one, in the order of `samples`.

        `forms` are the `sample_forms` of the samples.
        """
        found: dict[str, Match] = {}
        for sample, own in zip(samples, forms, strict=True):
            match = self._direct(sample, own)
            if match is not None:
                found[sample.id] = match
        built = [sample for sample in samples if sample.combination is not None and sample.id not in found]
        others = [sample for sample in samples if sample.combination is None and sample.id not in found]
        for group, index, problems in (
            (built, self._grams_of_free, self._free),
            (others, self._grams_of_all, self.suite.problems),
        ):
            texts = [text for sample in group for text in (sample.prompt, sample.gen)]
            for hit in index.shared(texts):
                sample, problem = group[hit.text // 2], problems[hit.problem]
                found.setdefault(sample.id, Match(sample.id, problem.task_id, "shared run of words", hit.run))
        return [found[sample.id] for sample in samples if sample.id in found]

    def _direct(self, sample: Sample, forms: set[str]) -> Match | None:
        if sample.combination is not None and sample.combination in self._combinations:
            problem = self._combinations[sample.combination]
            return Match(sample.id, problem.task_id, "same combination", sample.combination)
        same = [form for form in forms if form in self._forms]
        if same:
            problem = self._forms[min(same)]
            return Match(sample.id, problem.task_id, "same solution", _short(problem_code(problem)))
        question = plain_text(sample.prompt)
        if question in self._questions:
            return Match(sample.id, self._questions[question].task_id, "same question", _short(question))
        return None


def sample_forms(sample: Sample) -> set[str]:
    """The alpha forms of the code in a sample's question and answer."""
    return solution_forms(sample.prompt) | solution_forms(sample.gen)


def _texts(problem: Problem) -> list[str]:
    """The texts that give a problem away, each by itself: question with solution, and tests."""
    return [problem.prompt, problem_code(problem), problem.test]


def _short(text: str) -> str:
    plain = plain_text(text)
    return plain if len(plain) <= _SHOWN else plain[: _SHOWN - 1] + "…"
