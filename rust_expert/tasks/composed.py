"""Many items of a crate changed at once, and what the compiler says of it taken apart again, item by item.

A form is one item's changed text. `composed` puts forms into their files; `blamed` finds the form that each error
belongs to; `relined` gives a message the line numbers that it would have if its form were the only one.
"""

import functools
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from rust_expert.judge.diagnostics import Diagnostic, Span
from rust_expert.syntax.corpus import ItemRow


@dataclass(frozen=True, eq=False)
class Form:
    """A changed text for an item. `way`: what changed it. `inside`: outside of function bodies all is as it was."""

    row: ItemRow
    way: str
    text: str
    inside: bool = True

    @property
    def key(self) -> str:
        """The item's key."""
        return self.row.key


@dataclass(frozen=True)
class Placed:
    """A form in its changed file, bytes from `start` to `end`; lines from 0, there and in the file as it was."""

    form: Form
    start: int
    end: int
    first_line: int
    line_before: int

    @functools.cached_property
    def lines(self) -> list[str]:
        """The form's lines, the first from its first byte on."""
        return self.form.text.split("\n")

    @functools.cached_property
    def lines_before(self) -> list[str]:
        """The item's lines as they were."""
        return self.form.row.text.split("\n")

    @property
    def growth(self) -> int:
        """How many lines the form has more than the item."""
        return len(self.lines) - len(self.lines_before)

    def unchanged(self, offset: int) -> int | None:
        """Where the form's line at `offset` stands in the item; None for a line that the item does not have."""
        now, before = self.lines, self.lines_before
        if offset < len(before) and now[: offset + 1] == before[: offset + 1]:
            return offset
        rest = len(now) - offset
        if rest <= len(before) and now[offset:] == before[len(before) - rest :]:
            return len(before) - rest
        return None


@dataclass
class Composed:
    """Files with forms in them, and where each one is."""

    files: dict[str, bytes] = field(default_factory=dict)
    places: dict[str, list[Placed]] = field(default_factory=dict)

    def at(self, file: str, start: int, end: int) -> Placed | None:
        """The form that holds a whole stretch of a file."""
        for place in self.places.get(file, ()):
            if place.start <= start and end <= place.end:
                return place
        return None


def composed(forms: Iterable[Form], sources: Mapping[str, bytes]) -> Composed:
    """Put forms of different items, none inside another, into their files."""
    made = Composed()
    by_file: dict[str, list[Form]] = defaultdict(list)
    for form in forms:
        by_file[form.row.file].append(form)
    for file, inside in sorted(by_file.items()):
        source, pieces, places = sources[file], [], []
        place = length = lines = 0
        for form in sorted(inside, key=lambda form: form.row.start):
            between, text = source[place : form.row.start], form.text.encode()
            length += len(between)
            lines += between.count(b"\n")
            places.append(
                Placed(form, length, length + len(text), lines, source.count(b"\n", 0, form.row.start))
            )
            pieces += [between, text]
            length += len(text)
            lines += text.count(b"\n")
            place = form.row.end
        made.files[file] = b"".join([*pieces, source[place:]])
        made.places[file] = places
    return made


@dataclass
class Blamed:
    """The errors by the form that they belong to, each once; and those that belong to none."""

    inside: dict[Form, list[Diagnostic]] = field(default_factory=dict)
    outside: dict[Form, list[Diagnostic]] = field(default_factory=dict)
    """Errors that point to something else, in what a form called: a macro."""
    strays: list[Diagnostic] = field(default_factory=list)


def blamed(errors: Iterable[Diagnostic], made: Composed) -> Blamed:
    """Find whose each error is: of the form that holds all it points to first, or that called the macro it is in."""
    found = Blamed()
    for error in errors:
        primary = [span for span in error.spans if span.primary]
        holders = {made.at(span.file, span.byte_start, span.byte_end) for span in primary}
        if len(holders) == 1 and (holder := holders.pop()) is not None:
            known = found.inside.setdefault(holder.form, [])
            # rustc says some things twice where it has met another error before
            if error not in known:
                known.append(error)
        elif (caller := _caller(primary, made)) is not None:
            found.outside.setdefault(caller.form, []).append(error)
        else:
            found.strays.append(error)
    return found


def _caller(spans: Iterable[Span], made: Composed) -> Placed | None:
    for span in spans:
        for caller in span.callers:
            place = made.at(caller.file, caller.byte_start, caller.byte_end)
            if place is not None:
                return place
    return None


_LIBRARY = re.compile(r"(?:/rustc/\w+|/[\w./-]*rustlib/src/rust)/library/")
_NEEDED = re.compile(r"(?<![\w/])/needed/(?:(?P<package>[\w.+-]+)-[0-9a-f]{8}(?=/))?")


def public_paths(message: str) -> str:
    """A message in which the files of the standard library and of other packages have no place on a machine."""
    return _NEEDED.sub(lambda found: found["package"] or "", _LIBRARY.sub("library/", message))


class OtherChange(Exception):
    """A message shows a line that another form has changed: it would look otherwise with its own form alone."""


_ARROW = re.compile(r"(?P<margin> *)(?P<sign>-->|:::) (?P<file>[^:]+):(?P<line>\d+):(?P<column>\d+)")
_UNSEEN = ("/rustc/", "/needed/")
"""Where files lie whose text rustc does not have: their line numbers have no part in the width of the column."""
_NAMED = re.compile(r"(?P<before>@(?P<file>[^\s:@]+):)(?P<first>\d+)(?P<column>:\d+: )(?P<last>\d+)(?=:\d+)")
"""A closure or an async block in the name of a type."""
_NUMBERED = re.compile(r"(?P<gap> *)(?P<line>\d+)(?P<rest> [|+~-].*)", re.DOTALL)


def relined(rendered: str, form: Form, made: Composed) -> str:
    """A message of rustc with the line numbers, and the width of their column, that it has where `form` is alone.

    Raises OtherChange where it shows a line that another form has changed.
    """
    lines = _NAMED.sub(lambda found: _named_alone(found, form, made), rendered).split("\n")
    arrows = [found for line in lines if (found := _ARROW.fullmatch(line))]
    if not arrows:
        return "\n".join(lines)
    width, primary = len(arrows[0]["margin"]), arrows[0]["file"]
    shown = list(_numbers(lines, width, primary))
    mapped = {place: _line_alone(file, number, form, made) for place, file, number in shown}
    counted = {place: number for place, file, number in shown if not file.startswith(_UNSEEN)}
    if not counted:
        return "\n".join(lines)
    # A number that is not shown can be the widest; then it is one behind the form, as wide before as after.
    hidden = width > max(len(str(number)) for number in counted.values())
    wider = 0 if hidden else max(len(str(mapped[place])) for place in counted) - width
    return "\n".join(_line(line, mapped.get(place), width, wider) for place, line in enumerate(lines))


def _named_alone(found: re.Match[str], form: Form, made: Composed) -> str:
    """The name with the lines that it has where `form` is alone.

    Raises OtherChange where it would be longer or shorter: what stands beside it would be elsewhere.
    """
    first, last = (
        str(_line_alone(found["file"], int(found[word]), form, made)) for word in ("first", "last")
    )
    if (len(first), len(last)) != (len(found["first"]), len(found["last"])):
        raise OtherChange
    return f"{found['before']}{first}{found['column']}{last}"


def _numbers(lines: Sequence[str], width: int, primary: str) -> Iterator[tuple[int, str, int]]:
    """Each line of a message that has a number: its place, the file that it is of, the number."""
    file = primary
    for place, line in enumerate(lines):
        if found := _ARROW.fullmatch(line):
            file = found["file"]
            yield place, file, int(found["line"])
        elif found := _NUMBERED.fullmatch(line):
            if len(found["line"]) + len(found["gap"]) == width:
                yield place, file, int(found["line"])
        elif line[:1].isalpha():
            file = primary  # a help or note begins; it names its file where that is another one


def _line(line: str, number: int | None, width: int, wider: int) -> str:
    if number is not None:
        if found := _ARROW.fullmatch(line):
            arrow = f"{found['sign']} {found['file']}:{number}:{found['column']}"
            return " " * (width + wider) + arrow
        numbered = _NUMBERED.fullmatch(line)
        assert numbered is not None
        return str(number).rjust(width + wider) + numbered["rest"]
    if wider and line.startswith(" " * width):
        return " " * (width + wider) + line[width:]
    return line


def _line_alone(file: str, number: int, form: Form, made: Composed) -> int:
    """The line, from 1, that line `number` of a changed file is where `form` alone is changed."""
    line, shift = number - 1, 0
    for place in made.places.get(file, ()):
        last = place.first_line + len(place.lines) - 1
        if line < place.first_line:
            break
        if place.form is form:
            continue
        if line > last:
            shift -= place.growth
        else:
            before = place.unchanged(line - place.first_line)
            if before is None:
                raise OtherChange
            shift += place.first_line + before - line
    return line + shift + 1
