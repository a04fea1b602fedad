"""HTML and SVG built from elements: whatever is not already markup is escaped, so hostile text stays text.

Nothing here can write a `style` attribute, an event handler or an address with a scheme: the report's content
security policy forbids all three, and a fault is better seen while the page is made than on the reader's screen.
"""

import html
import unicodedata
from collections.abc import Iterable
from typing import TypeAlias

_VOID = frozenset({"meta", "link", "br", "hr", "img", "input", "col"})
_SVG_LEAVES = frozenset({"line", "rect", "circle", "path", "polyline", "polygon", "use", "stop"})


class Html(str):
    """Text that is markup already and goes out as it is."""

    __slots__ = ()


Attribute: TypeAlias = str | int | float | bool | None
Child: TypeAlias = "str | int | float | None | Iterable[Child]"


def escape(text: str) -> Html:
    """The text with everything that HTML gives a meaning to made harmless.

    Characters that HTML forbids or that reorder or hide what follows them (bidirectional controls, zero width,
    C0 and C1 controls) are shown as `\\u{202e}`, as Rust would write them.
    """
    return Html(html.escape(visible(text), quote=True))


def visible(text: str) -> str:
    """The text with every control, invisible and unpaired surrogate character spelled out."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(f"\\u{{{ord(one):x}}}" if _hides(one) else one for one in text)


def _hides(character: str) -> bool:
    """Controls, format characters, surrogates, unassigned ones, line separators; and fillers of no width."""
    if character in "\n\t":
        return False
    if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
        return True
    code = ord(character)
    return code in (0x115F, 0x1160, 0x3164, 0xFFA0, 0x034F, 0x17B4, 0x17B5) or 0xFE00 <= code <= 0xFE0F


def el(name: str, *children: Child, **attributes: Attribute) -> Html:
    """One element with its children.

    `cls` is written as `class`, `for_` as `for`, `stroke_width` as `stroke-width`. None and False leave an
    attribute out, True writes it without a value. Children may be nested iterables; None is passed over.

    Raises ValueError for an attribute that the content security policy would refuse.
    """
    parts = [f"<{name}"]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        spelled = "class" if key == "cls" else key.rstrip("_").replace("_", "-")
        _check(spelled, value)
        parts.append(f" {spelled}" if value is True else f' {spelled}="{escape(_text(value))}"')
    if name in _VOID:
        return Html("".join(parts) + ">")
    inner = join(*children)
    if not inner and name in _SVG_LEAVES:
        return Html("".join(parts) + "/>")
    return Html("".join(parts) + f">{inner}</{name}>")


def _check(name: str, value: Attribute) -> None:
    if name == "style" or name.startswith("on"):
        raise ValueError(f"the report may hold no {name} attribute")
    if name in ("href", "src", "action") and not _harmless(str(value)):
        raise ValueError(f"{name}={value!r}: only places in this page and files beside it may be named")


def _harmless(address: str) -> bool:
    if address == "data:,":
        return True
    head = address.split("/", 1)[0]
    return not address.startswith(("/", "\\")) and ":" not in head


def join(*children: Child) -> Html:
    """Children one after the other, as markup."""
    parts: list[str] = []
    for child in children:
        if child is None:
            continue
        if isinstance(child, Html):
            parts.append(child)
        elif isinstance(child, str | int | float):
            parts.append(escape(_text(child)))
        else:
            parts.append(join(*child))
    return Html("".join(parts))


def _text(value: str | int | float) -> str:
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".") or "0"
    return str(value)
