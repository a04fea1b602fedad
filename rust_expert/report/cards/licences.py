"""Licences of rows as the Hub and Croissant spell them."""

import re
from collections.abc import Iterable

_HUB = {
    "0BSD": None, "Apache-2.0": "apache-2.0", "BSD-2-Clause": "bsd-2-clause", "BSD-3-Clause": "bsd-3-clause",
    "BSL-1.0": "bsl-1.0", "CC0-1.0": "cc0-1.0", "ISC": "isc", "MIT": "mit", "MIT-0": None, "MPL-2.0": "mpl-2.0",
    "Unicode-3.0": None, "Unicode-DFS-2016": None, "Unlicense": "unlicense", "Zlib": "zlib",
}  # fmt: skip
"""SPDX identifiers that crates have, with those of the Hub's list; None where the Hub has none."""

_WORDS = re.compile(r"[A-Za-z0-9.+-]+")
_EXCEPTION = re.compile(r"\bWITH\s+[A-Za-z0-9.+-]+")


def identifiers(expression: str) -> set[str] | None:
    """The known SPDX identifiers that an expression is made of; None where it holds anything else."""
    words = set(_WORDS.findall(_EXCEPTION.sub("", expression[:500]))) - {"AND", "OR"}
    bare = re.sub(r"[A-Za-z0-9.+\s()/-]", "", expression[:500])
    return words if words and not bare and words <= set(_HUB) else None


def hub_names(expressions: Iterable[str]) -> list[str]:
    """The licences of the Hub's list that rows are under; `other` among them where one is not in it."""
    found: set[str] = set()
    for expression in expressions:
        names = identifiers(expression)
        found |= {"other"} if names is None else {_HUB[name] or "other" for name in names}
    return sorted(found)


def addresses(expressions: Iterable[str]) -> list[str]:
    """The pages of SPDX on the licences that rows are under."""
    names = {name for expression in expressions for name in identifiers(expression) or ()}
    return [f"https://spdx.org/licenses/{name}" for name in sorted(names)]


def unknown(expressions: Iterable[str]) -> list[str]:
    """The expressions that hold more than known SPDX identifiers."""
    return sorted(expression for expression in set(expressions) if identifiers(expression) is None)
