"""Options of the report and of the cards that lie beside published data."""

import datetime

from pydantic import BaseModel, ConfigDict, Field, field_validator


class ReportOptions(BaseModel):
    """What the report shows; none of it changes a figure."""

    model_config = ConfigDict(extra="forbid")

    examples: int = Field(
        default=3, ge=0, description="problems shown with every stage's answer, for each outcome; 0 for none"
    )
    rows_to_read: int = Field(default=10, ge=0, description="training rows of each kind to read; 0 for none")
    code_lines: int = Field(default=40, ge=1, description="longest piece of code shown, in lines")
    seed: int = Field(default=17, description="draws the problems and rows that are shown")


class CardOptions(BaseModel):
    """What only the publisher of the data sets knows; what is null stands in no card. It changes no row."""

    model_config = ConfigDict(extra="forbid")

    version: str = Field(
        default="1.0.0",
        pattern=r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$",
        description="version of the data sets, MAJOR.MINOR.PATCH; MAJOR goes up where rows change",
    )
    creator: str | None = Field(
        default=None, min_length=1, description="person or organisation that made them"
    )
    url: str | None = Field(
        default=None, pattern=r"^https?://\S+$", description="page where they are published"
    )
    published: str | None = Field(default=None, description="day of publication, YYYY-MM-DD")
    citation: str | None = Field(default=None, min_length=1, description="how to cite them, best as BibTeX")

    @field_validator("published", mode="before")
    @classmethod
    def _is_a_day(cls, day: object) -> object:
        # YAML reads a bare 2030-01-31 as a date.
        if isinstance(day, datetime.date):
            return day.isoformat()
        if isinstance(day, str) and not _is_iso(day):
            raise ValueError("a day is written YYYY-MM-DD")
        return day


def _is_iso(day: str) -> bool:
    try:
        return datetime.date.fromisoformat(day).isoformat() == day
    except ValueError:
        return False
