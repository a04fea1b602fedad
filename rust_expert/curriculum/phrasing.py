"""How a task is put to the model: as code to complete, or in prose."""

from random import Random

from rust_expert.curriculum.tasks import Task

HUMANEVAL = "humaneval"
# {sig} is the signature without `fn`, {does} the doc comment in running text, {do} the same as an order.
TEMPLATES = {
    "write": "Write the Rust function `fn {sig}` that {does}.",
    "implement": "Implement `fn {sig}` in Rust. It {does}.",
    "order": "{do}. Write it in Rust as `fn {sig}`.",
    "need": "I need a Rust function that {does}. Its signature is `fn {sig}`.",
    "which": "In Rust, define `fn {sig}`, which {does}.",
}
_GIVEN = "Given this Rust code:\n\n{types}\n\n"


def order(doc: str) -> str:
    """A doc comment as an order: 'Returns the sum' becomes 'Return the sum'."""
    first, rest = doc.split(" ", 1)
    stem = first[:-3] + "y" if first.endswith("ies") else first[:-1]
    return f"{stem} {rest}"


def phrased(task: Task, random: Random) -> tuple[str, str]:
    """The prompt and the name of its template: the HumanEval shape for one half, prose for the other."""
    if random.random() < 0.5:
        return task.prompt, HUMANEVAL
    name = random.choice(list(TEMPLATES))
    doc = task.draft.doc.removesuffix(".")
    text = TEMPLATES[name].format(sig=task.draft.signature, does=doc[0].lower() + doc[1:], do=order(doc))
    given = _GIVEN.format(types=task.draft.types) if task.draft.types else ""
    return given + text, name
