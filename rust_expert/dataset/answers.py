"""What the answers of many rows are compared by, worked out once for all of them."""

import copy
import re
from collections.abc import Hashable, Sequence

import numpy as np

from rust_expert.common.contracts import Sample
from rust_expert.dataset.joined import Places
from rust_expert.dataset.normal import plain_code, plain_text
from rust_expert.dataset.shingles import listed_stream
from rust_expert.dataset.tokenised import Stream, code_stream, word_stream

Key = tuple[Hashable, ...]

_ERROR_CODE = re.compile(r"E\d{4}")
_MULTIPLIERS = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F)


class Answers:
    """The answers of rows, by their places in `samples`: their lessons, keys and tokens.

    Tokens are words without capitals where the answer is prose, else tokens of code without comments.
    """

    def __init__(self, samples: Sequence[Sample]) -> None:
        self.samples = list(samples)
        self.lessons = [lesson_of(sample) for sample in samples]
        code = [place for place, sample in enumerate(samples) if not sample.is_prose]
        prose = [place for place, sample in enumerate(samples) if sample.is_prose]
        of_code = code_stream([samples[place].gen for place in code])
        of_prose = word_stream([samples[place].gen.lower() for place in prose])
        self.keys: list[Hashable] = [None] * len(samples)
        for place, key in zip(code, _digests(of_code), strict=True):
            self.keys[place] = key
        fields = listed_stream([samples[place].gen.split() for place in prose])
        for place, key in zip(prose, _digests(fields), strict=True):
            self.keys[place] = key
        self._tokens = of_code.beside(of_prose)
        self._places: Places = np.argsort(np.array(code + prose, dtype=np.int64))

    def take(self, places: Sequence[int]) -> "Answers":
        """Some of the rows, in the order named."""
        found = copy.copy(self)
        found.samples = [self.samples[place] for place in places]
        found.lessons = [self.lessons[place] for place in places]
        found.keys = [self.keys[place] for place in places]
        found._places = self._places[np.array(places, dtype=np.int64)]
        return found

    def only(self, samples: Sequence[Sample]) -> "Answers":
        """Those rows alone that are among `samples`, which hold no other and keep the order."""
        wanted = iter(samples)
        nxt = next(wanted, None)
        places = []
        for place, sample in enumerate(self.samples):
            if sample is nxt:
                places.append(place)
                nxt = next(wanted, None)
        return self.take(places)

    def with_samples(self, samples: Sequence[Sample]) -> "Answers":
        """The same answers under other metadata: as many rows, in the same order."""
        found = copy.copy(self)
        found.samples = list(samples)
        return found

    def lengths(self) -> Places:
        """How many tokens each answer has."""
        return self._tokens.counts()[self._places]

    def tokens(self, rows: Places) -> Stream:
        """The tokens of some rows' answers."""
        return self._tokens.take(self._places[rows])

    def exact_key(self, place: int) -> Key:
        """Rows of equal key are exact duplicates.

        The prompt keeps its comments: in the HumanEval form the doc comment is the question.
        """
        sample = self.samples[place]
        if sample.combination is not None:
            return "curriculum", sample.task_type, plain_text(sample.prompt), self.keys[place]
        return "other", self.lessons[place], self.keys[place]


def _digests(stream: Stream) -> list[Hashable]:
    """For each text a number of 128 bits and more over its tokens and their order."""
    counts = stream.counts()
    places = stream.places()
    most = int(counts.max(initial=0)) + 1
    parts: list[list[int]] = [counts.tolist()]
    for multiplier in _MULTIPLIERS:
        powers = np.cumprod(np.full(most, multiplier, dtype=np.uint64), dtype=np.uint64)
        parts.append(stream.sums(stream.hashes * powers[places]).tolist())
    return list(zip(*parts, strict=True))


def lesson_of(sample: Sample) -> str:
    """What a row from a crate teaches: its task type, and for pairs the kind of change.

    The change is named by the third part of the template (`error_fixing/2/argument dropped`), else by the
    compiler's codes among the claims.
    """
    _, _, change = (sample.template or "").partition("/")[2].partition("/")
    told = (
        [change]
        if change
        else sorted({code for claim in sample.verified for code in _ERROR_CODE.findall(claim)})
    )
    return "/".join([sample.task_type or "unnamed", *told])


def exact_key(sample: Sample) -> tuple[str, ...]:
    """`Answers.exact_key` of one row, spelled out: the same in every version."""
    answer = plain_text(sample.gen) if sample.is_prose else plain_code(sample.gen)
    if sample.combination is not None:
        return "curriculum", sample.task_type or "", plain_text(sample.prompt), answer
    return "other", lesson_of(sample), answer
