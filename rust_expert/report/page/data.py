"""The data: what was lost on the way, what the rows are, what the data sets are made of, and some rows to read."""

from rust_expert.report.corpus import Corpus
from rust_expert.report.data import Data
from rust_expert.report.html import Html, el
from rust_expert.report.page.decontamination import decontamination_card
from rust_expert.report.page.forms import forms_cards
from rust_expert.report.page.funnel import funnel_card
from rust_expert.report.page.mixes import licences_card, mixes_card
from rust_expert.report.page.parts import section
from rust_expert.report.page.reading import reading_group
from rust_expert.report.page.sizes import sizes_card


def data_section(data: Data, code_lines: int = 40) -> Html | None:
    """The section; None where the run left nothing to tell. Code is shown to `code_lines` lines."""
    forms = forms_cards(data.corpus or Corpus(), data.rows)
    content = [
        funnel_card(data.corpus or Corpus(), data.funnel, data.mixes),
        mixes_card(data.mixes),
        el("div", forms, cls="pair") if forms else None,
        sizes_card(data.rows),
        licences_card(data.rows),
        decontamination_card(data.decontamination) if data.decontamination else None,
        reading_group(data.rows, code_lines),
    ]
    if not any(content):
        return None
    return section(
        "data",
        "Data",
        "Rows come from real crates and from a seeded curriculum whose every solution compiles and passes its tests.",
        *content,
    )
