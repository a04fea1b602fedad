"""Options of the report."""

from pydantic import BaseModel, ConfigDict, Field


class ReportOptions(BaseModel):
    """What the report shows; none of it changes a figure."""

    model_config = ConfigDict(extra="forbid")

    examples: int = Field(
        default=3, ge=0, description="problems shown with every stage's answer, for each outcome; 0 for none"
    )
    code_lines: int = Field(default=40, ge=1, description="longest piece of code shown, in lines")
    seed: int = Field(default=17, description="draws the problems that are shown")
