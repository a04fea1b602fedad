"""The shapes of a base as its config.json tells them, and those of well-known bases where that file is not at hand.

No torch here: a plan must cost nothing.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rust_expert.common.errors import UserError
from rust_expert.common.files import read_json

GATED = ("llama", "mistral", "qwen2")
"""Architectures with a gated feed-forward (three matrices) and root mean square norms."""

PLAIN = ("starcoder2",)
"""Architectures with a plain feed-forward (two matrices), layer norms and biases."""


@dataclass(frozen=True)
class Shapes:
    """What a decoder is made of; fields are named as in config.json."""

    model_type: str
    vocab_size: int
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    intermediate_size: int
    tie_word_embeddings: bool
    head_dim: int
    bias: bool = False
    qkv_bias: bool = False
    residual_dropout: float = 0.0

    @property
    def gated(self) -> bool:
        """Whether the feed-forward has a gate."""
        return self.model_type in GATED

    def projections(self) -> dict[str, tuple[int, int]]:
        """(inputs, outputs) of each matrix of one decoder layer, by the last part of its name."""
        heads, kv = self.num_attention_heads * self.head_dim, self.num_key_value_heads * self.head_dim
        width, inner = self.hidden_size, self.intermediate_size
        attention = {
            "q_proj": (width, heads),
            "k_proj": (width, kv),
            "v_proj": (width, kv),
            "o_proj": (heads, width),
        }
        if self.gated:
            return attention | {
                "gate_proj": (width, inner),
                "up_proj": (width, inner),
                "down_proj": (inner, width),
            }
        return attention | {"c_fc": (width, inner), "c_proj": (inner, width)}

    def biased(self) -> list[str]:
        """The projections that have a bias."""
        if self.bias:
            return list(self.projections())
        return ["q_proj", "k_proj", "v_proj"] if self.qkv_bias else []

    def dense_sizes(self) -> list[int]:
        """Weights of each tensor that is not quantised: embeddings, head, norms, biases."""
        norm = [self.hidden_size] * (1 if self.gated else 2)
        matrices = [self.vocab_size * self.hidden_size] * (1 if self.tie_word_embeddings else 2)
        biases = [self.projections()[name][1] for name in self.biased()]
        return matrices + norm + (norm * 2 + biases) * self.num_hidden_layers

    def parameters(self) -> int:
        """All weights of the base."""
        matrices = sum(inputs * outputs for inputs, outputs in self.projections().values())
        return matrices * self.num_hidden_layers + sum(self.dense_sizes())


def _known(
    kind: str, vocabulary: int, width: int, layers: int, heads: int, kv: int, inner: int, tied: bool
) -> Shapes:
    head = 128
    plain = kind in PLAIN
    return Shapes(
        kind,
        vocabulary,
        width,
        layers,
        heads,
        kv,
        inner,
        tied,
        head,
        bias=plain,
        residual_dropout=0.1 if plain else 0.0,
    )


KNOWN = {
    "meta-llama/Llama-3.1-8B-Instruct": _known("llama", 128256, 4096, 32, 32, 8, 14336, False),
    "meta-llama/Llama-3.2-3B-Instruct": _known("llama", 128256, 3072, 28, 24, 8, 8192, True),
    "bigcode/starcoder2-3b": _known("starcoder2", 49152, 3072, 30, 24, 2, 12288, True),
    "codellama/CodeLlama-7b-Instruct-hf": _known("llama", 32016, 4096, 32, 32, 32, 11008, False),
    "mistralai/Mistral-7B-Instruct-v0.3": _known("mistral", 32768, 4096, 32, 32, 8, 14336, False),
}
"""Shapes from the config.json of each repository; a test holds their weights to the published numbers of parameters."""


def shapes_in(config: Path) -> Shapes:
    """The shapes that a config.json tells.

    Raises UserError where it is missing, broken, or of an architecture that is not known here.
    """
    told: Any = read_json(config)
    kind = told.get("model_type") if isinstance(told, dict) else None
    if kind not in GATED + PLAIN:
        raise UserError(
            f"{config}: model_type is {kind!r}, and memory is predicted for {', '.join(GATED + PLAIN)}; measure a run"
        )
    try:
        heads = told["num_attention_heads"]
        return Shapes(
            model_type=kind,
            vocab_size=told["vocab_size"],
            hidden_size=told["hidden_size"],
            num_hidden_layers=told["num_hidden_layers"],
            num_attention_heads=heads,
            num_key_value_heads=told.get("num_key_value_heads") or heads,
            intermediate_size=told["intermediate_size"],
            # transformers leaves out what is as it is by default: tied in Starcoder2, not in the others.
            tie_word_embeddings=told.get("tie_word_embeddings", kind in PLAIN),
            head_dim=told.get("head_dim") or told["hidden_size"] // heads,
            bias=told.get("use_bias", kind in PLAIN),
            qkv_bias=kind == "qwen2",
            residual_dropout=told.get("residual_dropout", 0.0),
        )
    except KeyError as error:
        raise UserError(f"{config}: has no {error}; name the folder of a whole model") from None


def shapes_of(name: str) -> Shapes:
    """The shapes of a model of the Hub.

    Raises UserError where they are not known here.
    """
    if name not in KNOWN:
        raise UserError(
            f"base.hub.name: the shapes of {name} are not known here ({', '.join(KNOWN)} are); make the base first, or"
            " give its config.json with --base-config"
        )
    return KNOWN[name]
