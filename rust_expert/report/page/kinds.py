"""The names and colours that the data section gives to sources, kinds of rows and outcomes."""

SOURCES = {
    "counted": "crates",
    "crates": "from real crates",
    "curriculum": "from the curriculum",
    "own": "own rows",
}
"""What is left at a stop of the funnel, in the order in which it is drawn."""

TYPES = {
    "curriculum": "curriculum: function with tests",
    "code_generation": "crates: write the code",
    "transformations": "crates: transform code",
    "error_fixing": "crates: mend an error",
    "explanations": "crates: explain",
}
"""What a training row asks for, in the order in which it is drawn."""

FORMS = {
    "broken": ("Broken on purpose", "operator"),
    "plain": ("Rewritten into plainer code", "rewrite"),
    "suggested": ("Mended as clippy suggests", "lint"),
    "stands": ("Compiled outside their crate", "way"),
}
"""The forms of items that questions are made of: their name, and what each is made by."""


def source_name(key: str) -> str:
    """A source in words; other people's sources have the names of the profile."""
    return SOURCES.get(key, key)


def kind_name(key: str) -> str:
    """A kind of row in words."""
    return TYPES.get(key, key.replace("_", " "))


def in_order(keys: set[str], known: dict[str, str]) -> list[str]:
    """`keys` in the order of `known`, and the others after them by name."""
    return [key for key in known if key in keys] + sorted(keys - set(known))
