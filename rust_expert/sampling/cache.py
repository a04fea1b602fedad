"""A key-value cache with room to grow: transformers' own copies everything that it holds at each new token."""

import torch
from transformers import Cache, DynamicCache, PreTrainedConfig
from transformers.cache_utils import DynamicLayer

ROOM = 64
"""Tokens of spare room made whenever a layer is full."""


class GrowingLayer(DynamicLayer):
    """Keys and values of one layer, (rows, heads, tokens, width), as views into larger buffers."""

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: object, **__: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append the new tokens' keys and values; returns all that are held."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
            self.used = 0
            self.buffers = (key_states[:, :, :0], value_states[:, :, :0])
        new = key_states.shape[2]
        if self.used + new > self.buffers[0].shape[2]:
            self._grow(key_states, value_states, self.used + new + ROOM)
        for buffer, states in zip(self.buffers, (key_states, value_states), strict=True):
            buffer[:, :, self.used : self.used + new] = states
        self.used += new
        self.keys, self.values = (buffer[:, :, : self.used] for buffer in self.buffers)
        return self.keys, self.values

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        """Keep these rows only."""
        self.buffers = (self.buffers[0][indices], self.buffers[1][indices])
        self.keys, self.values = (buffer[:, :, : self.used] for buffer in self.buffers)

    def _grow(self, key_states: torch.Tensor, value_states: torch.Tensor, capacity: int) -> None:
        grown = []
        for buffer, states in zip(self.buffers, (key_states, value_states), strict=True):
            rows, heads, _, width = states.shape
            larger = states.new_zeros((rows, heads, capacity, width))
            larger[:, :, : self.used] = buffer[:, :, : self.used]
            grown.append(larger)
        self.buffers = (grown[0], grown[1])


def make_cache(config: PreTrainedConfig) -> Cache:
    """An empty cache for a model; transformers' own where some layers see only a window."""
    kinds = getattr(config, "layer_types", None)
    windowed = (
        any(kind != "full_attention" for kind in kinds)
        if kinds
        else bool(getattr(config, "sliding_window", None))
    )
    if windowed:
        return DynamicCache(config=config)
    return Cache(layers=[GrowingLayer() for _ in range(config.num_hidden_layers)])
