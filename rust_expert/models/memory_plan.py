"""How much GPU memory a stage needs at its peak, from the shapes of the base and the stage's options alone.

One micro batch has N = micro_batch x max_length tokens. With H the width, I the inner width, A the width of all heads,
K that of the key heads, h the number of heads, r the rank, m the adapted modules of a layer and L layers, in bytes:

    weights      each adapted or plain projection of n weights: n/2 for the 4-bit values, one byte for the scale of each
                 64, four for that of each 256 scales, 1,092 for its two tables and its offset; all else two each
    adapter      4 for each trained weight and 4 for its gradient (float32), and what the optimiser keeps of it
    layer        what one decoder layer saves for its backward pass, for a token:
                   gated (Llama, Mistral, Qwen2)   8H + 8 + 2A + 2A + 4K + 4h + 6I + 2rm
                   plain (Starcoder2)              8H + 16 + 2A + 2A + 4K + 4h + 4I + 2rm   (layer norms in float32)
                 and for the input of each adapted module: with dropout 3 times its width (a mask and a copy of its
                 own), without 2 times, shared by modules of one input in gated layers; and the adapter in bfloat16
    attention    sdpa on packed rows: K = A, and 2 N^2 in each layer for the mask; eager: 6 h N^2; others, and auto,
                 which finds one of them on Ampere and newer: nothing more
    held         with gradient checkpointing the input of each layer (2H, plain 4H) and one layer, else L layers
    workspace    of the layer that is gone back through: the larger of gradients of its feed-forward (gated 2I + 6H,
                 plain 10I + 2H) and a dequantised matrix (2HI, for all tokens together) with gated 3H, plain 6I + 2H
    head         4H + 8 of the last norm, and while the loss is computed 8H and a tile of 4,096 tokens by 32,768 words
                 (chunked, as TRL does), or 14 for each token and word of the vocabulary (full logits: 2, and their
                 softmax and its gradients in float32)

The peak is what stands there always plus the larger of layer and head. Tests hold the weights to a really quantised
model (exact) and the layers to what real modules save with the real shapes (within 10 %). What only a GPU can tell,
and `--measure` does: fragmentation, workspaces of the kernels, what the driver takes.
"""

from dataclasses import asdict, dataclass
from typing import Literal

from rust_expert.common.config.models import (
    AUTO,
    QUANTISATION_BLOCK,
    LoraOptions,
    QuantizationOptions,
    TrainingOptions,
)
from rust_expert.common.errors import UserError
from rust_expert.models.optimizer_state import paged_bytes, state_bytes
from rust_expert.models.shapes import Shapes

SCALES_PER_SCALE = 256
TABLES = 16 * 4 + 256 * 4 + 4
"""Of a quantised matrix: the 16 values of its 4-bit numbers, the 256 of its scales, and their offset."""

LOSS_TOKENS, LOSS_WORDS = 4_096, 32_768
"""The tile in which TRL's fused head computes logits (its TOKEN_CHUNK_SIZE and _CHUNKED_LOGPROB_CHUNK_SIZE)."""

CUBLAS_WORKSPACE = 8 * 4 * 2**20
"""`prepare_process` sets CUBLAS_WORKSPACE_CONFIG to :4096:8."""

CONTEXT = 600 * 2**20
"""What driver and loaded kernels take beside torch's own memory: an assumption, to be measured."""

FRAGMENTATION = 0.05
"""Share of torch's memory that lies idle between tensors at the peak: an assumption, to be measured."""

Loss = Literal["chunked", "full"]


@dataclass(frozen=True)
class Peak:
    """Bytes at the peak of one stage, by what they are for. `total` is what torch.cuda.max_memory_allocated tells."""

    weights: int
    adapter: int
    gradients: int
    optimizer: int
    activations: int
    workspace: int
    paged: int

    @property
    def total(self) -> int:
        """All that torch allocates. Paged optimiser state is not among it."""
        return (
            self.weights + self.adapter + self.gradients + self.optimizer + self.activations + self.workspace
        )

    @property
    def needed(self) -> int:
        """What the GPU must have: with paged state, gaps between tensors, and the driver's own."""
        return int(self.total * (1 + FRAGMENTATION)) + self.paged + CONTEXT

    def rows(self) -> dict[str, int]:
        """Every part by its name, and the sums."""
        return {**asdict(self), "allocated": self.total, "needed": self.needed}


def predict(
    shapes: Shapes,
    lora: LoraOptions,
    quantization: QuantizationOptions,
    training: TrainingOptions,
    loss: Loss = "chunked",
) -> Peak:
    """The peak of one stage.

    Raises UserError for products in float32, for which nothing was checked.
    """
    if quantization.compute_dtype != "bfloat16":
        raise UserError("quantization.compute_dtype: memory is predicted for bfloat16 only; set it")
    sizes = adapter_sizes(shapes, lora)
    state = sum(state_bytes(size, training.optimizer) for size in sizes)
    paged = sum(paged_bytes(size, training.optimizer) for size in sizes)
    layer = layer_bytes(shapes, lora, training)
    held, workspace = held_bytes(shapes, training, layer), workspace_bytes(shapes, lora, training)
    tokens = _tokens(training)
    last = tokens * (4 * shapes.hidden_size + 8) + _shared_bytes(shapes, training)
    in_layer = held + layer + last + workspace
    in_head = (
        held + (0 if training.gradient_checkpointing else layer) + last + _loss_bytes(shapes, tokens, loss)
    )
    activations = held + layer + last
    return Peak(
        weights=weight_bytes(shapes, quantization),
        adapter=4 * sum(sizes),
        gradients=4 * sum(sizes),
        optimizer=state - paged,
        activations=activations,
        workspace=max(in_layer, in_head) - activations + CUBLAS_WORKSPACE,
        paged=paged,
    )


def largest_micro_batch(
    shapes: Shapes,
    lora: LoraOptions,
    quantization: QuantizationOptions,
    training: TrainingOptions,
    memory: int,
    loss: Loss = "chunked",
) -> TrainingOptions | None:
    """The options with the largest micro batch that fits in `memory` bytes and the same sequences per step.

    None where not even one sequence fits.
    """
    together = training.micro_batch * training.accumulation
    for micro in range(together, 0, -1):
        if together % micro or (together // micro) % training.ranks:
            continue
        tried = training.model_copy(update={"micro_batch": micro, "accumulation": together // micro})
        if predict(shapes, lora, quantization, tried, loss).needed <= memory:
            return tried
    return None


def weight_bytes(shapes: Shapes, quantization: QuantizationOptions) -> int:
    """The frozen base in memory: projections quantised, all else (embeddings, head, norms, biases) in bfloat16."""
    dense = 2 * sum(shapes.dense_sizes())
    each = [inputs * outputs for inputs, outputs in shapes.projections().values()]
    if quantization.quant_type == "none":
        return dense + 2 * shapes.num_hidden_layers * sum(each)
    return dense + shapes.num_hidden_layers * sum(quantised_bytes(n, quantization.double_quant) for n in each)


def quantised_bytes(weights: int, double_quant: bool) -> int:
    """A matrix of so many weights in four bits: values, scales, and the scales of the scales."""
    scales = -(-weights // QUANTISATION_BLOCK)
    values = -(-weights // 2)
    if not double_quant:
        return values + 4 * scales + 16 * 4
    return values + scales + 4 * -(-scales // SCALES_PER_SCALE) + TABLES


def adapted(shapes: Shapes, lora: LoraOptions) -> dict[str, tuple[int, int]]:
    """The projections of one layer that get an adapter."""
    known = shapes.projections()
    return (
        known
        if lora.target_modules == AUTO
        else {name: known[name] for name in lora.target_modules if name in known}
    )


def adapter_sizes(shapes: Shapes, lora: LoraOptions) -> list[int]:
    """Weights of each tensor of the adapter."""
    one = [lora.r * width for shape in adapted(shapes, lora).values() for width in shape]
    return one * shapes.num_hidden_layers


def layer_bytes(shapes: Shapes, lora: LoraOptions, training: TrainingOptions) -> int:
    """What one decoder layer saves in its forward pass for its backward pass."""
    width, inner, heads = shapes.hidden_size, shapes.intermediate_size, shapes.num_attention_heads
    all_heads, key_heads = heads * shapes.head_dim, shapes.num_key_value_heads * shapes.head_dim
    tokens, modules = _tokens(training), adapted(shapes, lora)
    kv = all_heads if training.attention in ("sdpa", "eager") else key_heads
    token = 8 * width + (8 if shapes.gated else 16) + 4 * all_heads + 4 * kv + 4 * heads
    token += (6 if shapes.gated else 4) * inner + 2 * lora.r * len(modules)
    token += _adapter_inputs(shapes, lora)
    token += 2 * width if shapes.residual_dropout else 0
    constant = 2 * lora.r * sum(inputs + outputs for inputs, outputs in modules.values())
    return tokens * token + constant + _mask_bytes(shapes, training)


def _adapter_inputs(shapes: Shapes, lora: LoraOptions) -> int:
    """Of a token: the inputs of the adapted modules, as their down-projections save them."""
    modules = adapted(shapes, lora)
    if lora.dropout:
        return 3 * sum(inputs for inputs, _ in modules.values())
    # The output projection's input is what attention has saved already. Gated layers have inputs in bfloat16, which
    # modules share; plain ones have them in float32, and each module makes a copy.
    others = [(name, inputs) for name, (inputs, _) in modules.items() if name != "o_proj"]
    if not shapes.gated:
        return 2 * sum(inputs for _, inputs in others)
    shared = {_input_of(name): inputs for name, inputs in others}
    return 2 * sum(shared.values())


def _input_of(name: str) -> str:
    if name in ("q_proj", "k_proj", "v_proj"):
        return "attention"
    return "feed-forward" if name in ("gate_proj", "up_proj") else name


def _mask_bytes(shapes: Shapes, training: TrainingOptions) -> int:
    """What attention saves that grows with the square of the sequence; packs of a micro batch lie in one sequence."""
    square = _square(training)
    if training.attention == "eager":
        return 6 * shapes.num_attention_heads * square
    return 2 * square if training.attention == "sdpa" else 0


def _shared_bytes(shapes: Shapes, training: TrainingOptions) -> int:
    """What all layers share: the angles of the rotary embedding, and the mask where there is one."""
    masked = training.attention in ("sdpa", "eager")
    return _tokens(training) * 4 * shapes.head_dim + (_square(training) if masked else 0)


def held_bytes(shapes: Shapes, training: TrainingOptions, layer: int) -> int:
    """What the layers hold beside the one that is gone back through: their inputs, or all that they save."""
    if training.gradient_checkpointing:
        return shapes.num_hidden_layers * _tokens(training) * (2 if shapes.gated else 4) * shapes.hidden_size
    return (shapes.num_hidden_layers - 1) * layer


def workspace_bytes(shapes: Shapes, lora: LoraOptions, training: TrainingOptions) -> int:
    """The most that a layer's backward pass needs beside what was saved."""
    width, inner, tokens = shapes.hidden_size, shapes.intermediate_size, _tokens(training)
    matrix = 2 * max(inputs * outputs for inputs, outputs in shapes.projections().values())
    if shapes.gated:
        return max(tokens * (2 * inner + 6 * width), matrix + tokens * 3 * width)
    return max(tokens * (10 * inner + 2 * width), matrix + tokens * (6 * inner + 2 * width))


def _loss_bytes(shapes: Shapes, tokens: int, loss: Loss) -> int:
    if loss == "full":
        return 14 * tokens * shapes.vocab_size
    tile = 2 * min(tokens, LOSS_TOKENS) * min(shapes.vocab_size, LOSS_WORDS)
    return tokens * 8 * shapes.hidden_size + tile


def _square(training: TrainingOptions) -> int:
    return _tokens(training) ** 2 if training.packing else training.micro_batch * training.max_length**2


def _tokens(training: TrainingOptions) -> int:
    return training.micro_batch * training.max_length
