"""How many bytes an optimiser keeps for each weight that it trains."""

SMALLEST_8BIT = 4096
"""bitsandbytes keeps the state of smaller tensors in float32 (its `min_8bit_size`)."""

STATE_BLOCK = 256
"""Values of 8-bit state that share one float32 scale."""

SMALLEST_PAGED = 100_000
"""bitsandbytes pages only tensors of so many values (its `get_state_buffer`)."""


def state_bytes(numel: int, optimizer: str) -> int:
    """Bytes of AdamW's two moments for a tensor of `numel` values, scales of 8-bit state included."""
    if optimizer.endswith("8bit") and numel >= SMALLEST_8BIT:
        return 2 * numel + 2 * 4 * -(-numel // STATE_BLOCK)
    return 2 * 4 * numel


def paged_bytes(numel: int, optimizer: str) -> int:
    """The part of `state_bytes` that lies in pages which CUDA moves to the host when the GPU is full."""
    if not optimizer.startswith("paged_") or numel < SMALLEST_PAGED:
        return 0
    return 2 * numel * (1 if optimizer.endswith("8bit") else 4)
