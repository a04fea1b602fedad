"""What models put around code: fences, tags, marks of a chat. They are told by their own signs; the code between them
is for the parser."""

import re

_FENCE = re.compile(
    r"^(?P<before>[ \t]*(?:(?:[-*+>]|\d+[.)])[ \t]+)?|[^`/\n]*:[ \t]*)(?P<fence>```+|~~~+)[ \t]*(?P<info>[^\n`]*)$",
    re.MULTILINE,
)
_ON_ONE_LINE = re.compile(r"^[ \t]*```(?:rust|rs)?[ \t]*([^`\n]*[^`\s])[ \t]*```[ \t]*$", re.MULTILINE)
_THOUGHTS_END = re.compile(r"</(?:think|thinking|thought|reasoning)>")
_ANSWER, _ANSWER_END = re.compile(r"<answer>"), re.compile(r"</answer>")
_MARK = re.compile(r"<\|[^|<>\n]{1,40}\|>|<\uff5c[^<>\n]{1,40}\uff5c>|</?s>|<(?:start|end)_of_turn>")
_BYTE_ORDER_MARK = re.compile("^\ufeff", re.MULTILINE)
_PROSE_END = (":", ".", "!", ">")
_MOST_LINES = 20


def plain_text(raw: str) -> str:
    """An answer with one kind of line ends and whole characters, without byte order marks."""
    text = raw.encode("utf-8", "replace").decode("utf-8").replace("\r\n", "\n")
    return _BYTE_ORDER_MARK.sub("", text)


def final_parts(text: str) -> list[str]:
    """The text, and before it what the tags in it call the answer: the last `<answer>`, what follows the thoughts."""
    parts = [text]
    thoughts = list(_THOUGHTS_END.finditer(text))
    if thoughts:
        parts.insert(0, text[thoughts[-1].end() :])
    begins = list(_ANSWER.finditer(parts[0]))
    if begins:
        inside = parts[0][begins[-1].end() :]
        parts.insert(0, _ANSWER_END.split(inside, maxsplit=1)[0])
    return parts


def without_fences(text: str) -> str:
    """The text without the lines of its fences."""
    return _FENCE.sub("", text)


def fenced_blocks(text: str) -> list[str]:
    """The insides of the fenced blocks; the last may be open, the first may lack its opening fence."""
    text = _ON_ONE_LINE.sub(r"```\n\1\n```", text)
    fences = list(_FENCE.finditer(text))
    blocks: list[str] = []
    if len(fences) % 2 and not fences[0]["info"].strip() and text[: fences[0].start()].strip():
        blocks.append(text[: fences[0].start()])
        fences = fences[1:]
    inside: re.Match[str] | None = None
    for fence in fences:
        if inside is None:
            inside = fence
        elif fence["fence"].startswith(inside["fence"]) and not (fence["info"] + fence["before"]).strip():
            blocks.append(text[inside.end() + 1 : fence.start()])
            inside = None
    if inside is not None:
        blocks.append(text[inside.end() + 1 :])
    return blocks


def first_turn(text: str) -> str:
    """The first part of a text that marks of a chat divide; the text where there are none."""
    return next((part for part in _MARK.split(text) if part.strip()), text)


def after_prose(text: str) -> str:
    """The text after the lines at its beginning that end as sentences, tags or headings do."""
    position = 0
    for _ in range(_MOST_LINES):
        end = text.find("\n", position)
        line = text[position : len(text) if end < 0 else end].strip()
        if end < 0 or not (not line or line.endswith(_PROSE_END) or line.startswith("#") or line.isalpha()):
            break
        position = end + 1
    return text[position:]
