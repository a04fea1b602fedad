"""Exact attention for packed rows: on a CPU, and on a GPU without flash attention.

torch's scaled dot product attention takes packed rows with a dense block mask and computes every pair of tokens,
those of different rows too: with 2,048 tokens of 90-token rows that is two thirds of a training step. Here each row
is attended to by itself, which is what the mask meant, at a cost that grows with the rows and not with the pack.
"""

import inspect
from typing import Any, NamedTuple

import torch
from torch.nn import functional
from transformers import AttentionInterface
from transformers.utils import is_flash_attn_2_available, is_flash_attn_3_available

PACKED_SDPA, PACKED_VARLEN = "packed_sdpa", "packed_varlen"
_FLASH_CAPABILITY = (8, 0)
"""Ampere: the oldest that torch's kernel for rows of any length runs on."""


def choose(asked: str, device: str, *, packing: bool) -> str:
    """The attention that `asked` names; for auto the fastest that is exact here.

    A GPU: flash attention 3 or 2 where installed, else torch's own kernel for packed rows, else sdpa. A CPU:
    packed_sdpa.
    """
    if asked != "auto":
        return asked
    if not device.startswith("cuda"):
        return PACKED_SDPA
    if is_flash_attn_3_available():
        return "flash_attention_3"
    if is_flash_attn_2_available():
        return "flash_attention_2"
    able = torch.cuda.get_device_capability(device) >= _FLASH_CAPABILITY
    return PACKED_VARLEN if packing and able and _varlen_kernel() is not None else "sdpa"


def _varlen_kernel() -> Any:
    try:
        from torch.nn.attention.varlen import varlen_attn
    except ImportError:
        return None
    return varlen_attn


def packed_sdpa(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    position_ids: torch.Tensor | None = None,
    sliding_window: int | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention within each row of a pack; a row starts where its position is 0.

    Args:
        query: (batch, heads, tokens, head width); key and value with as many or fewer heads (grouped query).
        position_ids: (batch or 1, tokens). Several rows per sequence need a batch of one, as TRL packs them.
            Sequences without such starts are attended to causally: right padding needs no mask then.

    Returns:
        (batch, tokens, heads, head width) and no weights.

    Raises:
        ValueError: with a cache (this is for training), where packed rows come in a batch of several, or where a
            row is longer than the window that the model sees.
    """
    if query.shape[2] != key.shape[2]:
        raise ValueError(f"{PACKED_SDPA} is for training and takes no cache; sample with sdpa")
    lengths = _row_lengths(position_ids, query.shape[2])
    _check_window(sliding_window, max(lengths))
    if len(lengths) > 1 and query.shape[0] > 1:
        raise ValueError(f"{PACKED_SDPA} takes packed rows in a batch of one, not {query.shape[0]}")
    grouped = query.shape[1] != key.shape[1]
    rows = [
        functional.scaled_dot_product_attention(
            q, k, v, dropout_p=dropout, is_causal=True, scale=scaling, enable_gqa=grouped
        )
        for q, k, v in zip(*(torch.split(part, lengths, 2) for part in (query, key, value)), strict=True)
    ]
    return torch.cat(rows, dim=2).transpose(1, 2).contiguous(), None


def _check_window(window: int | None, longest: int) -> None:
    """Both functions see the whole row: a model that sees less of it would be another model."""
    if window is not None and longest > window:
        raise ValueError(
            f"a row of {longest} tokens is longer than the {window} that the model sees; choose sdpa"
        )


def _row_lengths(position_ids: torch.Tensor | None, tokens: int) -> list[int]:
    if position_ids is None:
        return [tokens]
    starts = (position_ids == 0).any(dim=0).nonzero().flatten().tolist()
    if not starts or starts[0] != 0:
        raise ValueError(f"{PACKED_SDPA}: the first position of a sequence must be 0")
    return [end - start for start, end in zip(starts, [*starts[1:], tokens], strict=True)]


class _Borders(NamedTuple):
    """Where the rows of a pack start and end, as the kernel takes it, and the longest row."""

    positions: torch.Tensor
    starts: torch.Tensor
    longest: int


_borders: list[_Borders] = []
"""Of the pack in hand: all layers ask for the same ones, and to look at them waits for the GPU."""


def _borders_of(positions: torch.Tensor) -> _Borders:
    if not _borders or _borders[0].positions is not positions:
        flat = positions.flatten()
        starts = (flat == 0).nonzero().flatten()
        ends = torch.cat([starts, starts.new_tensor([flat.shape[0]])]).to(torch.int32)
        _borders[:] = [_Borders(positions, ends, int((ends[1:] - ends[:-1]).max()))]
    return _borders[0]


def packed_varlen(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    position_ids: torch.Tensor | None = None,
    sliding_window: int | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """`packed_sdpa` by torch's own flash attention kernel for rows of any length, on a GPU.

    Raises:
        ValueError: with a cache, a batch of several, no positions, or dropout in attention, which the kernel lacks.
    """
    if query.shape[2] != key.shape[2]:
        raise ValueError(f"{PACKED_VARLEN} is for training and takes no cache; sample with sdpa")
    if query.shape[0] > 1 or position_ids is None or dropout:
        raise ValueError(
            f"{PACKED_VARLEN} takes packed rows in a batch of one, with positions and without dropout"
        )
    kernel = _varlen_kernel()
    knows = inspect.signature(kernel).parameters
    borders = _borders_of(position_ids)
    _check_window(sliding_window, borders.longest)
    if "scale" not in knows and scaling not in (None, query.shape[-1] ** -0.5):
        raise ValueError(f"{PACKED_VARLEN}: this torch cannot scale by {scaling}; choose sdpa")
    if "enable_gqa" not in knows and query.shape[1] != key.shape[1]:
        groups = query.shape[1] // key.shape[1]
        key, value = (part.repeat_interleave(groups, dim=1) for part in (key, value))
    options: dict[str, Any] = {"scale": scaling}
    options |= {"enable_gqa": query.shape[1] != key.shape[1]} if "enable_gqa" in knows else {}
    options |= {"window_size": (-1, 0)} if "window_size" in knows else {"is_causal": True}
    flat = (part[0].transpose(0, 1).contiguous() for part in (query, key, value))
    out = kernel(
        *flat, borders.starts, borders.starts, borders.longest, borders.longest,
        **{name: told for name, told in options.items() if name in knows},
    )  # fmt: skip
    return out.unsqueeze(0), None


def register() -> None:
    """Make both known to transformers. They register no mask: the functions themselves are exact without one."""
    AttentionInterface.register(PACKED_SDPA, packed_sdpa)
    AttentionInterface.register(PACKED_VARLEN, packed_varlen)
