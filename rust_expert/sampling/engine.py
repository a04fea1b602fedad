"""What an engine is: prompts as token ids go in, new tokens come out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Prompt:
    """Token ids that are gone on from, and the seed of this row's random numbers."""

    ids: list[int]
    seed: int


@dataclass(frozen=True)
class Decoded:
    """The new tokens, the end mark included where the row came to it."""

    ids: list[int]
    finished: bool


@dataclass(frozen=True)
class Rule:
    """How a token is chosen and when a row ends."""

    temperature: float
    top_p: float
    max_new_tokens: int
    end_ids: frozenset[int]
    pad_id: int


class Engine(Protocol):
    """A loaded base that goes on from prompts."""

    def generate(self, adapter: Path | None, prompts: Sequence[Prompt], rule: Rule) -> list[Decoded]:
        """The new tokens of each prompt, in order; `adapter` is the folder of the stage's, None for the bare base."""
        ...
