"""Predict the peak GPU memory of each stage of a profile, and the largest micro batch that fits.

Needs neither GPU nor network: the base's shapes come from results/models/base where it is made already, from
base.path, or are known here. With --measure, on a GPU, three real steps of each stage on random weights are set beside.
What is predicted, from what, and what only a GPU can tell stands in rust_expert/models/memory_plan.py.
"""

import json
import tempfile
from pathlib import Path

from rust_expert.common.cli import parser, run, set_up_log
from rust_expert.common.config.models import TrainingOptions
from rust_expert.common.config.profile import Profile
from rust_expert.common.config.reading import read_profile
from rust_expert.common.errors import UserError
from rust_expert.models.memory_plan import Peak, largest_micro_batch, predict
from rust_expert.models.shapes import Shapes, shapes_in, shapes_of
from tools.system import output_of

ROOT = Path(__file__).resolve().parent.parent
GIB = 2**30
MADE = Path("results/models/base/model/config.json")


def main() -> None:
    """Read the command line, predict, print."""
    told = parser(__doc__)
    told.add_argument(
        "--configfile", nargs="+", default=[], type=Path, metavar="FILE", help="profiles, laid over"
    )
    told.add_argument(
        "--gpu-memory", type=float, metavar="GIB", help="memory of the GPU (default: the one here)"
    )
    told.add_argument("--base-config", type=Path, metavar="FILE", help="config.json of the base")
    told.add_argument(
        "--loss", choices=["chunked", "full"], default="chunked", help="full: plain logits, to compare"
    )
    told.add_argument(
        "--measure", action="store_true", help="train three steps of each stage here, and compare"
    )
    told.add_argument("--json", action="store_true", help="print JSON")
    arguments = told.parse_args()
    set_up_log(arguments)
    profile = read_profile(ROOT / "config" / "config.yaml", arguments.configfile)
    stages = {name: _training(stage) for name, stage in profile.stages.items() if stage.device == "cuda"}
    if not stages:
        raise UserError(
            "every stage of this profile trains on the CPU (device: cpu), so there is no GPU memory to plan"
        )
    shapes = _shapes(profile, arguments.base_config)
    memory = _memory(arguments.gpu_memory)
    found = {
        name: _planned(profile, shapes, training, memory, arguments.loss) for name, training in stages.items()
    }
    if arguments.measure:
        _measure(profile, shapes, stages, found)
    if arguments.json:
        print(json.dumps({"gpu_memory": memory, "stages": found}, indent=2))
    else:
        print(_table(found, memory))


def _training(stage: TrainingOptions) -> TrainingOptions:
    return TrainingOptions.model_validate({key: getattr(stage, key) for key in TrainingOptions.model_fields})


def _shapes(profile: Profile, given: Path | None) -> Shapes:
    base = profile.base
    if given is None and MADE.is_file():
        manifest = json.loads((MADE.parent.parent / "manifest.json").read_text(encoding="utf-8"))
        same = base.hub is not None and (manifest.get("hub") or {}).get("name") == base.hub.name
        given = MADE if base.origin == "hub" and same else None
    if given is None and base.origin == "path" and base.path:
        given = Path(base.path) / "config.json"
    if given is not None:
        return shapes_in(given)
    if base.origin == "scratch" or base.hub is None:
        raise UserError(
            "base.from: scratch makes its model here; memory is planned for a base from hub or path"
        )
    return shapes_of(base.hub.name)


def _memory(given: float | None) -> int | None:
    """Bytes of the GPU: as given, or of the first one here."""
    if given is not None:
        if given <= 0:
            raise UserError(f"--gpu-memory: {given:g} GiB is no memory; give a number above 0")
        return int(given * GIB)
    code, told = output_of("nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits")
    return int(told.splitlines()[0]) * 2**20 if code == 0 and told else None


def _planned(
    profile: Profile, shapes: Shapes, training: TrainingOptions, memory: int | None, loss: str
) -> dict[str, object]:
    peak: Peak = predict(shapes, profile.lora, profile.quantization, training, loss)  # type: ignore[arg-type]
    told: dict[str, object] = {
        "micro_batch": training.micro_batch,
        "accumulation": training.accumulation,
        "max_length": training.max_length,
        "bytes": peak.rows(),
    }
    if memory is not None:
        best = largest_micro_batch(shapes, profile.lora, profile.quantization, training, memory, loss)  # type: ignore[arg-type]
        told["fits"] = peak.needed <= memory
        told["largest"] = best and {"micro_batch": best.micro_batch, "accumulation": best.accumulation}
    return told


def _measure(
    profile: Profile, shapes: Shapes, stages: dict[str, TrainingOptions], found: dict[str, dict[str, object]]
) -> None:
    from rust_expert.models.process import prepare_process, require_device, settle_libraries

    prepare_process(1)
    require_device("cuda", profile.quantization.compute_dtype)
    settle_libraries(1)

    from rust_expert.models.measuring import measure

    for name, training in stages.items():
        with tempfile.TemporaryDirectory(prefix="plan-memory-") as folder:
            found[name]["measured"] = measure(
                shapes, profile.lora, profile.quantization, training, Path(folder)
            )


PARTS = ("weights", "adapter", "gradients", "optimizer", "activations", "workspace", "allocated", "needed")


def _table(found: dict[str, dict[str, object]], memory: int | None) -> str:
    lines = [f"{'GiB at the peak':<18}" + "".join(f"{name:>12}" for name in found)]

    def row(title: str, values: list[str]) -> None:
        lines.append(f"{title:<18}" + "".join(f"{value:>12}" for value in values))

    row("tokens at once", [f"{told['micro_batch']} x {told['max_length']}" for told in found.values()])
    for part in PARTS:
        row(part, [f"{told['bytes'][part] / GIB:.2f}" for told in found.values()])  # type: ignore[index]
    if any("measured" in told for told in found.values()):
        row("measured", [f"{int(str(told['measured'])) / GIB:.2f}" for told in found.values()])
        row("of allocated", [
            f"{int(str(told['measured'])) / told['bytes']['allocated']:.1%}" for told in found.values()  # type: ignore[index]
        ])  # fmt: skip
    if memory is None:
        lines.append(
            "no GPU here: give --gpu-memory GIB for what fits; needed = allocated, gaps, paged state, driver"
        )
        return "\n".join(lines)
    row("fits", ["yes" if told["fits"] else "NO" for told in found.values()])
    row("largest that fits", [_largest(told["largest"]) for told in found.values()])
    lines.append(f"of {memory / GIB:.1f} GiB; micro_batch x accumulation keeps the sequences of a step")
    return "\n".join(lines)


def _largest(told: object) -> str:
    return f"{told['micro_batch']} x {told['accumulation']}" if isinstance(told, dict) else "none"


if __name__ == "__main__":
    run(main)
