"""The page as one file: a strict content security policy, its own style sheet, no script, no request anywhere."""

import base64
import hashlib
from pathlib import Path

from rust_expert.report.html import Html, el, join

_SECTIONS = (
    ("top", "Finding"),
    ("seeds", "Seeds"),
    ("scores", "Scores"),
    ("verdicts", "Verdicts"),
    ("answers", "Answers"),
    ("training", "Training"),
    ("data", "Data"),
    ("method", "Method"),
    ("lineage", "Way back"),
    ("provenance", "Made with"),
    ("rerun", "Run again"),
)


def style() -> str:
    """The style sheet that lies beside this module."""
    return Path(__file__).with_name("style.css").read_text(encoding="utf-8")


def policy(sheet: str) -> str:
    """A content security policy that allows this very style sheet and nothing else: no script, no request, no form."""
    digest = base64.b64encode(hashlib.sha256(sheet.encode("utf-8")).digest()).decode("ascii")
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    )


def document(title: str, sections: list[Html | None]) -> str:
    """The whole page. The bar at the top leads to the sections that are there."""
    sheet = style()
    body = join(*sections)
    links = [el("a", name, href=f"#{key}") for key, name in _SECTIONS if f' id="{key}"' in body]
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=policy(sheet)),
        el("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name_="referrer", content="no-referrer"),
        el("meta", name_="color-scheme", content="light dark"),
        el("link", rel="icon", href="data:,"),
        el("title", title),
        Html(f"<style>{sheet}</style>"),
    )
    page = el(
        "body",
        el("nav", el("div", links), aria_label="Sections"),
        el("main", body),
        el(
            "footer",
            el(
                "p", "Made by Rust Expert from the files beside it. This page needs no network and no script."
            ),
        ),
    )
    return "<!doctype html>\n" + el("html", head, page, lang="en") + "\n"
