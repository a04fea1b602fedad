"""Batched decoding in which each row has random numbers of its own.

transformers' generate() draws for the whole batch from one generator, so a row's text depends on its neighbours. Here
the n-th token of a row is chosen with the n-th number of the row's own stream, by inversion of the cumulative
probabilities. Finished rows leave the batch, which generate() keeps computing to the end.
"""

import random
from collections.abc import Callable, Sequence
from typing import Any

import torch

from rust_expert.sampling.cache import make_cache
from rust_expert.sampling.engine import Decoded, Prompt, Rule

SHRINK_AT = 0.75
"""The batch is made smaller once no more than this share of its rows still runs."""


@torch.inference_mode()
def decode(
    model: Any, prompts: Sequence[Prompt], rule: Rule, on_step: Callable[[int], None] = lambda rows: None
) -> list[Decoded]:
    """Go on from each prompt until an end mark or `max_new_tokens`; one batch, padded on the left.

    `on_step` is told after each token how many rows still run.
    """
    device = model.device
    ids, mask = _padded([prompt.ids for prompt in prompts], rule.pad_id, device)
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    numbers = _numbers(prompts, rule, device)
    cache = make_cache(model.config)
    running = list(range(len(prompts)))
    made: list[list[int]] = [[] for _ in prompts]
    ended = [False] * len(prompts)
    for step in range(rule.max_new_tokens):
        logits = model(
            input_ids=ids, attention_mask=mask, position_ids=positions, past_key_values=cache,
            use_cache=True, logits_to_keep=1,
        ).logits[:, -1]  # fmt: skip
        chosen = choose(
            logits, numbers[:, step] if rule.temperature > 0 else None, rule.temperature, rule.top_p
        )
        for place, token in enumerate(chosen.tolist()):
            row = running[place]
            if not ended[row]:
                made[row].append(token)
                ended[row] = token in rule.end_ids
        alive = [place for place, row in enumerate(running) if not ended[row]]
        on_step(len(alive))
        if not alive:
            break
        if len(alive) <= SHRINK_AT * len(running):
            kept = torch.tensor(alive, device=device)
            cache.batch_select_indices(kept)
            chosen, mask, positions, numbers = (part[kept] for part in (chosen, mask, positions, numbers))
            running = [running[place] for place in alive]
        ids = chosen[:, None]
        mask = torch.cat([mask, mask.new_ones(len(running), 1)], dim=1)
        positions = positions[:, -1:] + 1
    return [Decoded(ids=tokens, finished=end) for tokens, end in zip(made, ended, strict=True)]


def choose(
    logits: torch.Tensor, numbers: torch.Tensor | None, temperature: float, top_p: float
) -> torch.Tensor:
    """A token for each row.

    Args:
        logits: (rows, vocabulary).
        numbers: (rows,) in [0, 1), each row's random number; None for greedy choice.
        temperature: divides the logits; 0 is greedy.
        top_p: only the likeliest tokens that together reach this probability can be chosen, always at least one.

    Returns:
        (rows,) token ids.
    """
    if temperature == 0 or numbers is None:
        return logits.argmax(dim=-1)
    probabilities = torch.softmax(logits.double() / temperature, dim=-1)
    order = None
    if top_p < 1:
        probabilities, order = probabilities.sort(dim=-1, descending=True, stable=True)
        before = probabilities.cumsum(dim=-1) - probabilities
        probabilities = probabilities.masked_fill(before >= top_p, 0.0)
    sums = probabilities.cumsum(dim=-1)
    wanted = numbers.double()[:, None] * sums[:, -1:]
    # The first token whose sum is above the number; a token of probability 0 adds nothing and is never it.
    place = torch.searchsorted(sums, wanted, right=True).clamp(max=sums.shape[-1] - 1)
    return (order.gather(-1, place) if order is not None else place).squeeze(-1)


def _padded(
    rows: Sequence[list[int]], pad_id: int, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and mask, both (rows, longest), padded on the left."""
    longest = max(map(len, rows))
    ids = torch.tensor([[pad_id] * (longest - len(row)) + row for row in rows], device=device)
    mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in rows], device=device)
    return ids, mask


def _numbers(prompts: Sequence[Prompt], rule: Rule, device: torch.device) -> torch.Tensor:
    """(rows, max_new_tokens) random numbers; Python's generator gives the same ones under every torch."""
    if rule.temperature == 0:
        return torch.zeros(len(prompts), 0, device=device)
    streams = [random.Random(prompt.seed) for prompt in prompts]
    numbers = [[stream.random() for _ in range(rule.max_new_tokens)] for stream in streams]
    return torch.tensor(numbers, dtype=torch.float64, device=device)
