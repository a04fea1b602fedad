"""What a step is counted as: its tokens, its arithmetic; and the attention that a GPU without flash attention gets."""

from typing import Any

import pytest
import tiny_models
import torch
from datasets import Dataset
from torch.utils.flop_counter import FlopCounterMode

from rust_expert.models import attention, loading
from rust_expert.models.flops import Work, shape_of
from rust_expert.models.watching import work_of

FOLDER = tiny_models.base_manifest().parent / "model"


def test_the_work_of_packs_is_that_of_their_rows() -> None:
    packs = Dataset.from_dict(
        {
            "input_ids": [[1, 2, 3, 4, 5], [6, 7]],
            "labels": [[-100, 2, -100, -100, 5], [-100, 7]],
            "seq_lengths": [[2, 3], [2]],
        }
    )
    assert work_of(packs) == [Work(5, 2, 3 + 6), Work(2, 1, 3)]
    assert work_of(packs.remove_columns("seq_lengths")) == [Work(5, 2, 15), Work(2, 1, 3)]


def test_the_arithmetic_of_a_step_is_what_torch_counts() -> None:
    """torch's own counter sees each product of matrices. The base is dense here: it cannot count inside 4-bit layers.

    It counts attention with all pairs of tokens, ours those that see each other; and the last layer's gradients of
    weights that nobody trains are not computed.
    """
    model = loading.dequantise(loading.load_base(FOLDER, tiny_models.QUANTIZATION, "sdpa", "cpu"))
    adapted = loading.new_adapter(model, tiny_models.order(FOLDER / "x").lora, 0)
    shape = shape_of(adapted)
    tokens = 64
    ids = torch.randint(5, 300, (1, tokens))
    counter = FlopCounterMode(display=False)
    with counter:
        adapted(input_ids=ids, labels=ids, use_cache=False).loss.backward()
    work = Work(tokens, tokens, tokens * (tokens + 1) // 2)
    counted: float = counter.get_total_flops()
    attention_apart = shape.needed(work) - shape.needed(Work(tokens, tokens, 0))
    found = counted - _attention_of(counter)
    # the first layer's input needs no gradient, so the products that would give it are left out
    assert found <= shape.needed(work) - attention_apart
    assert found == pytest.approx(shape.needed(work) - attention_apart, rel=0.06)
    assert attention_apart == 3 * 4 * 2 * 64 * work.pairs


def _attention_of(counter: Any) -> float:
    return sum(
        flops
        for operation, flops in counter.get_flop_counts()["Global"].items()
        if "attention" in str(operation)
    )


def _rows_alone(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, starts: torch.Tensor,
    _: torch.Tensor, longest: int, __: int, *, scale: float | None = None, window_size: tuple[int, int] = (-1, -1),
    enable_gqa: bool = False,
) -> torch.Tensor:  # fmt: skip
    """What torch's kernel computes, in plain words: the kernel itself needs a GPU."""
    assert window_size == (-1, 0), "causal"
    assert int((starts[1:] - starts[:-1]).max()) == longest
    out = []
    for start, end in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        q, k, v = (part[start:end].transpose(0, 1) for part in (query, key, value))
        out.append(
            torch.nn.functional.scaled_dot_product_attention(
                q, k, v, is_causal=True, scale=scale, enable_gqa=enable_gqa
            ).transpose(0, 1)
        )
    return torch.cat(out)


def test_the_kernel_for_rows_of_any_length_is_asked_rightly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention, "_varlen_kernel", lambda: _rows_alone)
    torch.manual_seed(0)
    query = torch.randn(1, 4, 12, 16)
    key, value = torch.randn(2, 1, 2, 12, 16)
    positions = torch.tensor([[0, 1, 2, 3, 4, 0, 1, 0, 1, 2, 3, 4]])
    arguments = (torch.nn.Identity(), query, key, value, None)
    ours, _ = attention.packed_varlen(*arguments, scaling=0.2, position_ids=positions)
    known, _ = attention.packed_sdpa(*arguments, scaling=0.2, position_ids=positions)
    assert torch.allclose(ours, known, atol=1e-6)
    for wrong in ({"position_ids": None}, {"position_ids": positions, "dropout": 0.1}):
        with pytest.raises(ValueError, match="packed_varlen takes"):
            attention.packed_varlen(*arguments, **wrong)
    with pytest.raises(ValueError, match="longer than the 4"):
        attention.packed_varlen(*arguments, position_ids=positions, sliding_window=4)
    with pytest.raises(ValueError, match="longer than the 4"):
        attention.packed_sdpa(*arguments, position_ids=positions, sliding_window=4)


def test_auto_takes_what_is_there() -> None:
    assert attention.choose("auto", "cpu", packing=True) == "packed_sdpa"
    assert attention.choose("sdpa", "cuda", packing=True) == "sdpa"
