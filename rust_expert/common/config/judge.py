"""Config section of the judge: limits of its sandbox, policy, lints."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

SandboxName = Literal["bubblewrap", "firejail", "none"]


class JudgeOptions(BaseModel):
    """How samples are judged. Times are processor seconds, so that a busy machine judges as an idle one."""

    model_config = ConfigDict(extra="forbid")

    edition: Literal["2018", "2021", "2024"] = Field(
        default="2021", description="Rust edition of the samples"
    )
    compile_timeout: int = Field(
        default=20, ge=1, description="processor seconds for one compilation; four times as much by the clock"
    )
    run_timeout: int = Field(
        default=10, ge=1, description="processor seconds for the tests of one sample; four times by the clock"
    )
    memory_mb: int = Field(default=1024, ge=256, description="memory of one compilation or one test run")
    max_processes: int = Field(
        default=64, ge=8, description="processes of a compilation, threads of a test run"
    )
    tmpfs_mb: int = Field(default=64, ge=8, description="private scratch space of a compilation")
    output_kb: int = Field(
        default=1024, ge=16, description="what a test run may print; printing more ends it as resource_limit"
    )
    sandbox: SandboxName = Field(
        default="bubblewrap",
        description="what locks samples in: bubblewrap; firejail, which promises less; none, with unsafe_no_sandbox",
    )
    unsafe_no_sandbox: bool = Field(
        default=False,
        description="judge without a sandbox: samples run with the rights of whoever judges; results say so",
    )
    policy: Literal["off", "report", "enforce"] = Field(
        default="report",
        description="off; report: list what breaks the policy; enforce: such a sample is not run",
    )
    forbid_threads: bool = Field(default=False, description="std::thread is against the policy too")
    batch: int = Field(
        default=64, ge=1, le=512,
        description="samples compiled and linted together, 1 for one at a time; changes the speed, never a verdict",
    )  # fmt: skip
    lints: bool = Field(default=True, description="run clippy on what compiles")

    @model_validator(mode="after")
    def _no_sandbox_is_said_twice(self) -> Self:
        if self.unsafe_no_sandbox:
            if "sandbox" in self.model_fields_set and self.sandbox != "none":
                raise ValueError(
                    f"sandbox {self.sandbox} contradicts unsafe_no_sandbox: leave one of them out"
                )
            self.sandbox = "none"
        elif self.sandbox == "none":
            raise ValueError(
                "sandbox none gives a sample your own rights: say unsafe_no_sandbox: true as well"
            )
        return self
