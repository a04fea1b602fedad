"""Which forms of a crate's items fail, and how; which compile. Many forms are in one compilation, and none may change
what is said of another one.

What is done against that: forms of one item are never together; errors that stop the compiler early are set apart;
where an error is nobody's, the forms that may cause it are taken out; a message that shows another form's line is not
used.
"""

import itertools
import logging
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from rust_expert.judge.diagnostics import Diagnostic
from rust_expert.judge.in_place import Compiled, InPlace
from rust_expert.tasks.composed import Blamed, Composed, Form, OtherChange, blamed, composed, relined

log = logging.getLogger(__name__)

ABORTING = frozenset({"E0404", "E0405"})
"""Errors after which rustc looks at no types: with one of them about, the errors of all other forms are not seen."""

_LONGEST_QUOTE = 80
"""Characters of code that a note quotes."""

MOST_COMPILATIONS = 60
"""Of one crate for one kind of form: a crate in which errors lead elsewhere again and again is given up."""


@dataclass(frozen=True)
class Failed:
    """A form that does not compile, with all that rustc says of it where it is alone. `notes`: what it says of single
    places, as sentences that quote them.
    """

    form: Form
    codes: tuple[str, ...]
    message: str
    notes: tuple[str, ...]


@dataclass
class Tried:
    """The forms that did what they should, in the order given, and why the others did not."""

    failed: list[Failed] = field(default_factory=list)
    compiling: list[Form] = field(default_factory=list)
    lost: Counter[str] = field(default_factory=Counter)
    warned: dict[Form, Counter[str]] = field(default_factory=dict)
    """How often each lint warns inside each form that compiles, where that was asked."""


class Trials:
    """Compiles forms of one crate's items, in their places."""

    def __init__(self, crate: InPlace, sources: Mapping[str, bytes]) -> None:
        self._crate, self._sources = crate, sources

    def failing(self, forms: Sequence[Form], max_errors: int) -> Tried:
        """Find the forms that fail with errors of known code, all inside the item, at most `max_errors` of them."""
        results: dict[Form, Failed | str] = {}
        for group in _apart(forms):
            results.update(self._settled(group, max_errors))
        lost = Counter(result for result in results.values() if isinstance(result, str))
        found = [results[form] for form in forms]
        return Tried([each for each in found if isinstance(each, Failed)], lost=lost)

    def compiling(self, forms: Sequence[Form], lints: bool = False) -> Tried:
        """Find the forms that compile, with `lints` also clippy's warnings inside them.

        Forms of one item may not be among them twice.
        """
        alive, lost = list(forms), Counter[str]()
        for _ in range(MOST_COMPILATIONS):
            if not alive:
                break
            made, done = self._compiled(alive, lints)
            if done.ok:
                inside = blamed(done.diagnostics, made).inside
                warned = {form: Counter(each.code for each in inside.get(form, ())) for form in alive}
                return Tried(compiling=alive, lost=lost, warned=warned)
            found = blamed((each for each in done.diagnostics if each.is_error), made)
            guilty = set(found.inside) | set(found.outside) or _suspects(found.strays, alive)
            if done.gave_up or not guilty:
                guilty = set(alive)  # nobody can be named
            lost["it does not compile"] += len(guilty)
            alive = [form for form in alive if form not in guilty]
        lost["it does not compile"] += len(alive)
        return Tried(lost=lost)

    def _compiled(self, forms: Sequence[Form], lints: bool = False) -> tuple[Composed, Compiled]:
        made = composed(forms, self._sources)
        return made, self._crate.compile(made.files, lints)

    def _settled(self, forms: Sequence[Form], max_errors: int) -> dict[Form, Failed | str]:
        """What each form comes to, by as few compilations as it takes."""
        results: dict[Form, Failed | str] = {}
        pending = [list(forms)]
        for _ in range(MOST_COMPILATIONS):
            if not pending:
                return results
            group = pending.pop()
            made, done = self._compiled(group)
            found = blamed((each for each in done.diagnostics if each.is_error), made)
            parts = _parted(group, done, found)
            if parts is None:
                results.update((form, _judged(form, found, made, max_errors)) for form in group)
            elif len(group) == 1:
                results[group[0]] = "the compiler gave up" if done.gave_up else "an error outside the item"
            else:
                guilty, others = parts
                results.update((form, "an error outside the item") for form in guilty)
                pending += [part for part in others if part]
        for group in pending:
            results.update((form, "the crate leads errors elsewhere") for form in group)
        return results


def _apart(forms: Sequence[Form]) -> list[list[Form]]:
    """Groups in which each item stands once, and forms that change more than bodies stand by themselves.

    Of those, one in the impls of a trait: where one impl conflicts with another (E0119), rustc does not compare the
    methods of any impl of that trait with the trait's (E0053).
    """
    groups: dict[tuple[bool, int], list[Form]] = {}
    taken: dict[tuple[bool, int], set[str]] = defaultdict(set)
    for form in forms:
        trait = form.row.trait.partition("<")[0].rpartition("::")[2]
        marks = {form.key} if form.inside or not trait else {form.key, f"trait {trait}"}
        place = next(place for place in itertools.count() if not marks & taken[form.inside, place])
        taken[form.inside, place] |= marks
        groups.setdefault((form.inside, place), []).append(form)
    return list(groups.values())


def _parted(
    group: Sequence[Form], done: Compiled, found: Blamed
) -> tuple[list[Form], list[list[Form]]] | None:
    """How to go on where a compilation does not tell of each form by itself: forms that are lost, and groups to try.

    None where it does.
    """
    middle = len(group) // 2
    halves = [list(group[:middle]), list(group[middle:])]
    if done.gave_up:
        return [], halves
    aborting = [form for form in group if ABORTING & {each.code for each in found.inside.get(form, ())}]
    if aborting and len(aborting) < len(group):
        return [], [aborting, [form for form in group if form not in aborting]]
    if not found.strays:
        return None
    suspects = _suspects(found.strays, group)
    if suspects and len(suspects) < len(group):
        return list(suspects), [[form for form in group if form not in suspects]]
    return [], halves


def _suspects(strays: Sequence[Diagnostic], group: Sequence[Form]) -> set[Form]:
    """The forms whose item's name is in an error that is nobody's."""
    told = " ".join(each.rendered for each in strays)
    words = set("".join(letter if letter.isalnum() or letter == "_" else " " for letter in told).split())
    return {form for form in group if form.row.name in words}


def _judged(form: Form, found: Blamed, made: Composed, max_errors: int) -> Failed | str:
    """What a form comes to, by a compilation that tells of each form by itself."""
    if form in found.outside:
        return "an error outside the item"
    errors = found.inside.get(form, [])
    if not errors:
        return "it compiles"
    if not all(error.code for error in errors):
        return "an error without a code"
    if len(errors) > max_errors:
        return "too many errors"
    try:
        message = "\n\n".join(relined(error.rendered.strip("\n"), form, made) for error in errors)
    except OtherChange:
        return "its message shows another change"
    if "long-type-" in message:
        return "its message names a file of the compiler's"
    notes = tuple(dict.fromkeys(note for error in errors for note in _notes(error, made)))
    return Failed(form, tuple(dict.fromkeys(error.code for error in errors)), message, notes)


def _notes(error: Diagnostic, made: Composed) -> Iterator[str]:
    """The labels of an error's places in changed files, each with the code that it is about, and its notes."""
    for span in error.spans:
        source = made.files.get(span.file, b"")[span.byte_start : span.byte_end]
        quoted = " ".join(source.decode("utf-8", "replace").split())
        if span.label and quoted and len(quoted) <= _LONGEST_QUOTE and "`" not in quoted:
            yield f"`{quoted}`: {span.label}"
    for child in error.children:
        if child.level in ("note", "help") and not child.spans and "\n" not in child.message:
            yield child.message
