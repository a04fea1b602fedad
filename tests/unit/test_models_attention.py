"""Packed attention equals what each row gives by itself."""

import pytest
import tiny_models
import torch
from transformers import AutoModelForCausalLM

from rust_expert.models import attention
from rust_expert.models.conversation import Encoded
from rust_expert.models.packing import batches, in_batches, pack

LENGTHS = [7, 1, 19, 12]


def model(implementation: str) -> torch.nn.Module:
    attention.register()
    folder = tiny_models.base_manifest().parent / "model"
    return AutoModelForCausalLM.from_pretrained(folder, attn_implementation=implementation).eval()


def rows() -> list[Encoded]:
    generator = torch.Generator().manual_seed(3)
    return [
        Encoded(torch.randint(5, 300, (length,), generator=generator).tolist(), prompt_length=length // 2 + 1)
        for length in LENGTHS
    ]


@pytest.mark.parametrize("implementation", ["packed_sdpa", "sdpa"])
def test_rows_in_a_pack_do_not_see_each_other(implementation: str) -> None:
    packed = pack(rows(), prompt_loss=1.0)
    alone = model("eager")
    with torch.no_grad():
        together = model(implementation)(
            input_ids=packed.input_ids, position_ids=packed.position_ids, use_cache=False
        ).logits[0]
        for row, part in zip(rows(), together.split(LENGTHS), strict=True):
            apart = alone(input_ids=torch.tensor([row.ids]), use_cache=False).logits[0]
            torch.testing.assert_close(part, apart, rtol=1e-4, atol=1e-5)


def test_gradients_are_those_of_the_block_mask() -> None:
    packed = pack(rows(), prompt_loss=1.0)
    gradients = []
    for implementation in ("packed_sdpa", "sdpa"):
        one = model(implementation)
        logits = one(input_ids=packed.input_ids, position_ids=packed.position_ids, use_cache=False).logits
        torch.nn.functional.cross_entropy(logits[0], packed.labels[0]).backward()
        gradients.append(one.model.layers[0].self_attn.q_proj.weight.grad)
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-6)


def test_right_padding_needs_no_mask() -> None:
    short, long = rows()[0], rows()[2]
    padded = torch.tensor([short.ids + [0] * (len(long.ids) - len(short.ids)), long.ids])
    with torch.no_grad():
        logits = model("packed_sdpa")(
            input_ids=padded, attention_mask=(padded != 0).long(), use_cache=False
        ).logits
        alone = model("eager")(input_ids=torch.tensor([short.ids]), use_cache=False).logits[0]
    torch.testing.assert_close(logits[0, : len(short.ids)], alone, rtol=1e-4, atol=1e-5)


def test_what_would_be_wrong_silently_is_refused() -> None:
    query = torch.randn(1, 2, 4, 8)
    with pytest.raises(ValueError, match="no cache"):
        attention.packed_sdpa(torch.nn.Identity(), query[:, :, -1:], query, query, None)
    many = torch.randn(2, 2, 4, 8)
    with pytest.raises(ValueError, match="batch of one"):
        attention.packed_sdpa(
            torch.nn.Identity(),
            many,
            many,
            many,
            None,
            position_ids=torch.tensor([[0, 1, 0, 1], [0, 1, 2, 3]]),
        )


def test_a_pack_learns_answers_fully_and_prompts_as_much_as_asked() -> None:
    row = Encoded([1, 5, 6, 7, 2], prompt_length=3)
    packed = pack([row, row], prompt_loss=0.25)
    assert packed.position_ids.tolist() == [[0, 1, 2, 3, 4] * 2]
    assert packed.labels.tolist() == [[5, 6, 7, 2, -100] * 2]
    assert packed.weights.tolist() == [[0.25, 0.25, 1.0, 1.0, 0.0] * 2]


def test_batches_keep_to_their_budget_and_every_epoch_has_all_rows() -> None:
    data = [Encoded(list(range(5 + number % 7)), 2) for number in range(40)]
    feed = batches(data, batch_tokens=30, seed=1)
    seen: list[int] = []
    while len(seen) < len(data):
        batch = next(feed)
        assert sum(len(row.ids) for row in batch) <= 30
        seen += [id(row) for row in batch]
    assert set(seen) == {id(row) for row in data}
    assert [id(row) for batch in in_batches(data, 30) for row in batch] == [id(row) for row in data]
    again = batches(data, batch_tokens=30, seed=1)
    assert [len(next(again)) for _ in range(9)] == [
        len(b) for b, _ in zip(batches(data, 30, 1), range(9), strict=False)
    ]
