"""Real completions side by side by stage. They come from a model: all of it is text, never markup."""

from collections.abc import Mapping, Sequence

from rust_expert.common.contracts import Problem
from rust_expert.report.evidence import Answer, Choice
from rust_expert.report.html import Html, el
from rust_expert.report.page.parts import code_block, folded, section
from rust_expert.report.page.verdicts import error_told, outcome_badge, outcome_of
from rust_expert.report.wording import count, listed, plural

_TONES = {"learned": "up", "open": "level", "lost": "down"}


def answers_section(
    choices: Sequence[Choice], answers: Mapping[str, Mapping[str, Answer]], suite: str, lines: int
) -> Html | None:
    """The problems drawn, each with its reference and the answer of every stage."""
    if not choices:
        return None
    groups = [
        el(
            "div",
            el(
                "h3",
                el("span", choice.title, cls=f"tone-{_TONES.get(choice.key, 'level')}"),
                el(
                    "span",
                    f" {count(len(choice.problems))} of {plural(choice.among, 'problem')}",
                    cls="quiet",
                ),
            ),
            [
                _problem(problem, answers, lines, is_open=index == 0)
                for index, problem in enumerate(choice.problems)
            ],
            cls="group",
        )
        for choice in choices
    ]
    return section(
        "answers",
        "Answers, side by side",
        f"The first answer of each stage to problems of {suite}. A fixed seed draws them among those with the same"
        " outcome; nobody picked them.",
        groups,
    )


def _problem(
    problem: Problem, answers: Mapping[str, Mapping[str, Answer]], lines: int, is_open: bool
) -> Html:
    columns: list[Html] = []
    alike: dict[str, list[str]] = {}
    for stage, given in answers.items():
        if problem.task_id in given:
            alike.setdefault(given[problem.task_id].shown, []).append(stage)
    for stages in alike.values():
        columns.append(_answer(stages, answers[stages[0]][problem.task_id], lines))
    badges = [
        el(
            "span",
            el("span", cls=f"light status-{outcome_of(given[problem.task_id].verdict)}", aria_hidden="true"),
            stage,
        )
        for stage, given in answers.items()
        if problem.task_id in given
    ]
    title = [el("b", problem.entry_point or problem.task_id), el("span", badges, cls="lights")]
    return el(
        "details",
        el("summary", title),
        el(
            "div",
            el("div", el("h4", "The problem", el("span", f" {problem.task_id}", cls="quiet")),
               code_block(problem.prompt, lines), cls="answer" if len(columns) % 2 else "answer wide"),
            columns,
            cls="answers",
        ),
        folded("Reference solution and tests", _reference(problem, lines)),
        cls="problem",
        open=is_open,
    )  # fmt: skip


def _answer(stages: list[str], answer: Answer, lines: int) -> Html:
    verdict = answer.verdict
    told: list[str] = []
    if verdict.tests_total and verdict.status in ("failed", "timeout"):
        told.append(f"{verdict.tests_passed} of {plural(verdict.tests_total, 'test')} passed")
    if verdict.clippy_warnings:
        told.append(plural(verdict.clippy_warnings, "clippy warning"))
    codes = list(dict.fromkeys(verdict.error_codes))
    meant = [f"{code}: {error_told(code)}" for code in codes[:4] if error_told(code)]
    raw = (
        None
        if verdict.code
        else el("p", "No code was found in this answer; it is shown as it came.", cls="quiet")
    )
    return el(
        "div",
        el("h4", listed(stages), outcome_badge(verdict), el("span", ", ".join(told), cls="told")),
        raw,
        code_block(answer.shown, lines) if answer.shown.strip() else el("p", "An empty answer.", cls="quiet"),
        el(
            "p",
            el("samp", verdict.message),
            cls="message",
        )
        if verdict.message or codes
        else None,
        el("p", "; ".join(meant), cls="quiet") if meant else None,
        el("p", "Policy: " + listed(verdict.policy_findings[:4]), cls="quiet")
        if verdict.policy_findings
        else None,
        cls=f"answer of-{outcome_of(verdict)}",
    )


def _reference(problem: Problem, lines: int) -> Html:
    whole = problem.canonical_solution
    if problem.entry_point and f"fn {problem.entry_point}" not in whole:
        whole = problem.prompt + whole
    return el("div", code_block(whole, lines), code_block(problem.test, lines), cls="answers")
