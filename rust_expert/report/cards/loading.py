"""What an exported model is, how it is loaded, and what it must not be taken for, in words and code."""

import json

from rust_expert.report.cards.exported import Difference, Taken
from rust_expert.report.cards.markdown import text
from rust_expert.report.wording import count, percent, plural


def description(taken: Taken) -> str:
    """Base, form and merge in a few sentences."""
    exported = taken.exported
    size = f"{count(exported.base_parameters)} parameters"
    if exported.hub is not None:
        base = f"`{exported.hub.name}` at revision `{exported.hub.revision}` ({size})"
    elif exported.base_origin == "scratch":
        base = f"a model of {size} that the same run made from nothing"
    else:
        base = f"an existing model of {size}"
    chain = [name for name in taken.chain if name != "base"]
    stages = f"{plural(len(chain), 'stage')}: {' → '.join(chain)}"
    told = f"The base is {base}; on it a LoRA adapter was trained in {stages}."
    if exported.merged is None:
        return f"{told} This is that adapter alone.\n"
    merged = exported.merged
    onto = (
        "the weights that its 4-bit base stands for, which it was trained on and evaluated with"
        if merged.onto == "dequantised" and exported.quantization.quant_type != "none"
        else "the base's own weights"
    )
    lines = [
        f"{told} The adapter was merged into {onto}: {plural(merged.merged_layers, 'layer')}, {merged.dtype}.",
        f"Against base and adapter unmerged, {_apart(merged.difference)}.",
    ]
    if merged.from_trained is not None:
        lines.append(
            "The figures below were measured with the adapter on the 4-bit base; against that,"
            f" {_apart(merged.from_trained)}."
        )
    return " ".join(lines) + "\n"


def _apart(one: Difference) -> str:
    return (
        f"the largest difference of a logit is {one.largest:g} ({percent(one.relative, 3)} of the largest logit) over"
        f" {count(one.tokens)} tokens, and the likeliest token is the same after {percent(one.same_choice)} of them"
    )


def code(taken: Taken, template: str) -> str:
    """Python that loads the folder and asks it as it was evaluated."""
    exported = taken.exported
    load = _load_adapter(taken) if exported.merged is None else _LOAD
    message = "prompt" if template == "{prompt}" else f"{json.dumps(template)}.replace('{{prompt}}', prompt)"
    chosen = exported.generation
    way = (
        f"temperature {chosen.get('temperature')}, top-p {chosen.get('top_p')}, no top-k"
        if chosen.get("do_sample")
        else "the likeliest token each time"
    )
    return (
        f"```python\n{load}{_ASK.format(message=message)}```\n\n"
        f"`generation_config.json` holds what it was evaluated with: {way}, at most"
        f" {chosen.get('max_new_tokens')} new tokens.\n"
    )


_LOAD = """from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "path/to/this/folder"
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForCausalLM.from_pretrained(folder, dtype="auto")
"""

_ASK = """
prompt = "Implement `pub fn add(a: i32, b: i32) -> i32`."
conversation = [{{"role": "user", "content": {message}}}]
inputs = tokenizer.apply_chat_template(
    conversation, add_generation_prompt=True, return_tensors="pt", return_dict=True
)
answer = model.generate(**inputs)[0, inputs["input_ids"].shape[1]:]
print(tokenizer.decode(answer, skip_special_tokens=True))
"""


def _load_adapter(taken: Taken) -> str:
    exported, held = taken.exported, taken.exported.quantization
    base = (
        f'"{exported.hub.name}", revision="{exported.hub.revision}"' if exported.hub else '"path/to/the/base"'
    )
    quantised = held.quant_type != "none"
    how = f"\n    {base},\n    dtype=torch.{held.compute_dtype},\n"
    names = "AutoModelForCausalLM, AutoTokenizer"
    if quantised:
        names += ", BitsAndBytesConfig"
        how += (
            "    quantization_config=BitsAndBytesConfig(\n"
            f'        load_in_4bit=True, bnb_4bit_quant_type="{held.quant_type}",\n'
            f"        bnb_4bit_use_double_quant={held.double_quant},"
            f" bnb_4bit_compute_dtype=torch.{held.compute_dtype},\n    ),\n"
        )
    return (
        f"import torch\nfrom peft import PeftModel\nfrom transformers import {names}\n\n"
        'folder = "path/to/this/folder"\ntokenizer = AutoTokenizer.from_pretrained(folder)\n'
        f"base = AutoModelForCausalLM.from_pretrained({how})\n"
        "model = PeftModel.from_pretrained(base, folder)\n"
    )


def limits(taken: Taken) -> list[str]:
    """What the model and its figures must not be taken for."""
    told = [
        "The figures are of the suites named above and of nothing else. Problems of a suite of held-out combinations"
        " are of the families that the model was trained on.",
        "Code that this model writes may be wrong or unsafe. Compile and test it where it can do no harm.",
        "Several stages and metrics were compared; no correction was made for their number.",
        "It was trained on Rust and on English prompts; how it does elsewhere was not measured.",
    ]
    exported = taken.exported
    if exported.merged is not None and exported.merged.from_trained is not None:
        told.append("The weights are not quite those that were measured: see above how far the logits moved.")
    if exported.merged is None and exported.quantization.quant_type != "none":
        told.append(
            f"The adapter was trained on a base in {exported.quantization.quant_type}; on other weights it was not"
            " measured."
        )
    if exported.base_origin == "scratch":
        told.append(
            "The base is tiny and was made to prove a workflow: nobody should write programs with it."
        )
    return told


def licence(taken: Taken) -> str:
    """Under what the weights stand, and the data's licences."""
    exported = taken.exported
    of_base = f", that of its base `{exported.hub.name}`" if exported.hub else ""
    return (
        f"The weights: {text(exported.license)}{of_base}; `LICENSE-NOTE.md` says more. The rows that it was trained on"
        " stand under the licences listed under Data.\n"
    )
