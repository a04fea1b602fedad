"""Chunks of a file: what a sample can be made of, from a function to the whole file.

Most are items as they are, and their scale is their kind. More are runs of items that stand below each other, with
nothing but blanks and comments between them: a type or trait with its impls (scale "type" or "trait"), and a part of an
impl that is too large as a whole or has members that are there for tests alone ("impl_part"). The file is a chunk too
("file"). Every chunk is one span of the file, byte for byte; a row that is none has the scale "".
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import islice
from operator import itemgetter

from rust_expert.common.config.corpus import ChunkOptions
from rust_expert.common.crate_files import SourceFile
from rust_expert.common.rust_lexing import DOC
from rust_expert.syntax.items import FileItems, Item

TYPE_WITH_IMPLS, TRAIT_WITH_IMPLS, IMPL_PART, FILE = (
    "type_with_impls",
    "trait_with_impls",
    "impl_part",
    "file",
)
CHUNK_KINDS = frozenset({TYPE_WITH_IMPLS, TRAIT_WITH_IMPLS, IMPL_PART, FILE})
"""Kinds of rows that are made of items, and are none themselves."""

_WITH_IMPLS = {
    **dict.fromkeys(("struct", "enum", "union"), (TYPE_WITH_IMPLS, "type")),
    "trait": (TRAIT_WITH_IMPLS, "trait"),
}
"""By the scale of an item, kind and scale of the run that begins with it."""

_BLANKS = b" \t\n\r\f\v" + DOC


def chunks_of(file: SourceFile, found: FileItems, name: str, module: str, limits: ChunkOptions) -> list[Item]:
    """The file, its items and the runs among them, in the order of their first bytes, longer ones first.

    `name` and `module` are what the file is called as a module, and its path. An impl, module or file that is too large
    or holds what is there for tests alone, a file that does not parse, and the name of a module in another file have
    the scale "".
    """
    return _Reader(file, found, limits).chunks(name, module)


class _Reader:
    """Looks at the items of one file."""

    def __init__(self, file: SourceFile, found: FileItems, limits: ChunkOptions) -> None:
        self.source, self.marked = file.source, file.lexed.marked
        self.found, self.items, self.limits = found, found.items, limits
        self.starts = [item.start for item in found.items]

    def chunks(self, name: str, module: str) -> list[Item]:
        """All chunks of the file; a run stands before the first of its items."""
        items = self.items.copy()
        runs: list[tuple[int, Item]] = []
        for place, item in enumerate(self.items):
            scale = item.scale
            if scale == "impl" or scale == "module":
                if not self._is_whole(item):
                    items[place] = item._replace(scale="")
                    if scale == "impl":
                        runs += self._parts(item, place)
            elif scale in _WITH_IMPLS:
                impls = self._impls_after(item)
                if impls:
                    runs.append((place, _with_impls(item, impls)))
        found = [self._file(name, module)]
        copied = 0
        for place, run in sorted(runs, key=itemgetter(0)):
            found += items[copied:place]
            found.append(run)
            copied = place
        return found + items[copied:]

    def _is_whole(self, item: Item) -> bool:
        return item.has_body and self._fits(item.start, item.end) and not self._holds_tests(item)

    def _file(self, name: str, module: str) -> Item:
        """The file from its first byte to its last item, without the tests at its end."""
        end = self._before_blanks(len(self.source))
        for start, after in reversed(self.found.tests):
            if not self._is_blank(after, end):
                break
            end = self._before_blanks(start)
        conditions = self.found.conditions[: bisect_left(self.found.conditions, end)]
        conditional = not all(map(self._is_in_tests, conditions))
        whole = Item(
            kind=FILE, name=name, path=module, start=0, end=end, docs=self.found.docs, signature="", has_body=True,
            public=False, owner="", trait="", header="", conditional=conditional, scale=FILE,
        )  # fmt: skip
        return whole if self._is_whole(whole) and not self.found.faults else whole._replace(scale="")

    def _impls_after(self, item: Item) -> list[Item]:
        """The impls for a type, or of a trait, that follow it directly, as many as the limits allow."""
        impls: list[Item] = []
        end = item.end
        while (place := bisect_left(self.starts, end)) < len(self.items):
            impl = self.items[place]
            if (
                impl.kind != "impl"
                or item.name != (_bare(impl.trait) if item.kind == "trait" else impl.name)
                or not self._is_blank(end, impl.start)
                or not self._fits(item.start, impl.end)
                or self._holds_tests(impl)
            ):
                break
            impls.append(impl)
            end = impl.end
        return impls

    def _parts(self, impl: Item, place: int) -> Iterator[tuple[int, Item]]:
        """Runs of an impl's members that fit with its head, each with the place of its first member.

        A member that is too large alone is in none.
        """
        lines, characters = impl.signature.count("\n") + 2, len(impl.signature) + len(" {\n\n}")
        run: list[Item] = []
        first = place
        for number, member in enumerate(islice(self.items, place + 1, None), start=place + 1):
            if member.start >= impl.end:
                break
            if run and not (
                self._is_blank(run[-1].end, member.start)
                and self._fits(run[0].start, member.end, lines, characters)
            ):
                yield first, _part(impl, run)
                run = []
            if run or self._fits(member.start, member.end, lines, characters):
                first = first if run else number
                run.append(member)
        if run:
            yield first, _part(impl, run)

    def _fits(self, start: int, end: int, lines: int = 0, characters: int = 0) -> bool:
        """Whether a span with some lines and characters around it is within the limits."""
        size, most = end - start, self.limits.max_chars - characters
        if size > 4 * most or (size > most and len(self.source[start:end].decode("utf-8")) > most):
            return False
        return self.source.count(b"\n", start, end) + 1 + lines <= self.limits.max_lines

    def _holds_tests(self, item: Item) -> bool:
        tests = self.found.tests
        place = bisect_left(tests, (item.start, 0))
        return place < len(tests) and tests[place][0] < item.end

    def _is_in_tests(self, place: int) -> bool:
        before = bisect_right(self.found.tests, (place, len(self.source))) - 1
        return before >= 0 and place < self.found.tests[before][1]

    def _before_blanks(self, end: int) -> int:
        while end and self.source[end - 1] in _BLANKS:
            end -= 1
        return end

    def _is_blank(self, start: int, end: int) -> bool:
        """Whether nothing but blanks and comments stands between two places."""
        return not self.marked[start:end].strip(_BLANKS)


def _with_impls(item: Item, impls: Sequence[Item]) -> Item:
    kind, scale = _WITH_IMPLS[item.scale]
    return item._replace(
        kind=kind,
        scale=scale,
        end=impls[-1].end,
        has_body=True,
        conditional=item.conditional or any(impl.conditional for impl in impls),
    )


def _part(impl: Item, run: Sequence[Item]) -> Item:
    return impl._replace(
        kind=IMPL_PART,
        start=run[0].start,
        end=run[-1].end,
        header=impl.signature,
        scale=IMPL_PART,
        conditional=any(member.conditional for member in run),
    )


def _bare(trait: str) -> str:
    """`Shape` for `shapes::Shape<T>`."""
    return trait.partition("<")[0].rpartition("::")[2]
