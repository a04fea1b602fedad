"""Batches of whole rows for the base model's training: packed to a token budget, without padding, exactly resumable."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from rust_expert.common.seeds import rng
from rust_expert.models.conversation import Encoded


@dataclass(frozen=True)
class Pack:
    """Rows end to end. All tensors are (1, tokens); positions start again at 0 with each row."""

    input_ids: torch.Tensor
    position_ids: torch.Tensor
    labels: torch.Tensor
    weights: torch.Tensor

    @property
    def tokens(self) -> int:
        """Tokens in the pack."""
        return int(self.input_ids.shape[1])


def pack(rows: Sequence[Encoded], prompt_loss: float) -> Pack:
    """Lay rows end to end.

    `labels` are already shifted (the label of a token is the token after it); a row's last token has none. The
    loss of a prompt token weighs `prompt_loss`, that of an answer's token 1.
    """
    ids: list[int] = []
    positions: list[int] = []
    labels: list[int] = []
    weights: list[float] = []
    for row in rows:
        length = len(row.ids)
        ids += row.ids
        positions += range(length)
        labels += [*row.ids[1:], -100]
        weights += [prompt_loss] * (row.prompt_length - 1) + [1.0] * (length - row.prompt_length) + [0.0]
    return Pack(
        input_ids=torch.tensor([ids]),
        position_ids=torch.tensor([positions]),
        labels=torch.tensor([labels]),
        weights=torch.tensor([weights]),
    )


def batches(rows: Sequence[Encoded], batch_tokens: int, seed: int) -> Iterator[list[Encoded]]:
    """Endless batches of about `batch_tokens` tokens, each epoch in an order of its own.

    The n-th batch depends on the rows, the budget and the seed alone, so a resumed run skips to it.
    """
    epoch = 0
    batch: list[Encoded] = []
    filled = 0
    while True:
        order = list(range(len(rows)))
        rng(seed, "epoch", epoch).shuffle(order)
        for index in order:
            row = rows[index]
            if batch and filled + len(row.ids) > batch_tokens:
                yield batch
                batch, filled = [], 0
            batch.append(row)
            filled += len(row.ids)
        epoch += 1


def in_batches(rows: Sequence[Encoded], batch_tokens: int) -> Iterator[list[Encoded]]:
    """All rows once, in order, in batches of at most `batch_tokens` tokens (a longer row alone)."""
    batch: list[Encoded] = []
    filled = 0
    for row in rows:
        if batch and filled + len(row.ids) > batch_tokens:
            yield batch
            batch, filled = [], 0
        batch.append(row)
        filled += len(row.ids)
    if batch:
        yield batch
