"""How a process that trains or samples is set up, before torch is imported."""

import logging
import os
import sys
from pathlib import Path

from rust_expert.common.errors import UserError

_LIBRARIES = (
    "accelerate",
    "bitsandbytes",
    "datasets",
    "huggingface_hub",
    "kernels",
    "peft",
    "py.warnings",
    "tokenizers",
    "torch",
    "transformers",
    "trl",
)


def prepare_process(threads: int, *, offline: bool = True) -> None:
    """Set threads, offline mode and library noise; call it before anything imports torch.

    Offline matters even where nothing is downloaded: peft looks for a base's config on the Hub and bitsandbytes
    for kernels. Deterministic cuBLAS and single-threaded tokenizers cost nothing at these sizes.

    Raises RuntimeError where torch was imported before (its OpenMP pool would have another size).
    """
    if "torch" in sys.modules:
        raise RuntimeError("prepare_process must come before torch is imported")
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(threads)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    os.environ["TRANSFORMERS_NO_ADVISORY_WARNINGS"] = "1"
    if offline:
        os.environ["HF_HUB_OFFLINE"] = "1"
        os.environ["TRANSFORMERS_OFFLINE"] = "1"
        os.environ["HF_DATASETS_OFFLINE"] = "1"
    quiet_terminal()


def quiet_terminal() -> None:
    """Keep what libraries warn of in the log file and off the terminal; their errors still show."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler) and not isinstance(handler, logging.FileHandler):
            handler.addFilter(_from_us_or_an_error)


def _from_us_or_an_error(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.ERROR or record.name.split(".")[0] not in {
        name.split(".")[0] for name in _LIBRARIES
    }


def settle_libraries(threads: int) -> None:
    """Settle torch and the Hugging Face libraries once they are imported: threads, bars, where their logs go."""
    import datasets
    import torch
    import transformers

    keep_memory()
    torch.set_num_threads(threads)
    datasets.disable_progress_bars()
    datasets.disable_caching()
    transformers.utils.logging.disable_progress_bar()
    # transformers logs to stderr on its own unless told to hand its records on.
    transformers.utils.logging.disable_default_handler()
    transformers.utils.logging.enable_propagation()
    datasets.logging.enable_propagation()
    for name in _LIBRARIES:
        library = logging.getLogger(name)
        library.propagate = True
        for handler in list(library.handlers):
            library.removeHandler(handler)


def keep_memory() -> None:
    """Let glibc keep freed memory instead of giving each large tensor back to the kernel.

    Fresh pages are dear, in sandboxes most of all: without this a small activation function took a quarter of the
    sampling time, in some runs and not in others. Does nothing where there is no glibc.
    """
    import ctypes

    trim_threshold, top_pad, mmap_threshold = -1, -2, -3  # the numbers of malloc.h
    try:
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(mmap_threshold, 1 << 30)
        libc.mallopt(trim_threshold, (1 << 31) - 1)
        libc.mallopt(top_pad, 64 << 20)
    except (OSError, AttributeError):
        return


def require_device(device: str, compute_dtype: str = "float32") -> None:
    """Raise UserError where a GPU is asked for and none can be used, and says why: none there, or the driver.

    Also where products in bfloat16 are asked for on a GPU that has none (older than Ampere).
    """
    import torch

    if device != "cuda":
        return
    if not torch.cuda.is_available():
        raise UserError(f"config key device: cuda was asked for, but {_why_no_gpu()}")
    if compute_dtype == "bfloat16" and not torch.cuda.is_bf16_supported(including_emulation=False):
        raise UserError(
            f"quantization.compute_dtype: bfloat16 was asked for, but {torch.cuda.get_device_name()} has no bfloat16"
            " (Ampere or newer has); use float32, or another GPU"
        )


def _why_no_gpu() -> str:
    """What torch says of the missing GPU, the driver's version, and what to do, as the rest of a sentence."""
    import torch

    built = torch.version.cuda
    instead = "or use the default profile (device: cpu)"
    if built is None:
        return (
            f"this torch ({torch.__version__}) is built without CUDA; install a CUDA build of it, {instead}"
        )
    try:
        torch.cuda.init()
        said = "torch finds no device"
    except (RuntimeError, AssertionError) as error:
        said = str(error).splitlines()[0].split(". ")[0].rstrip(".")
    driver = driver_version()
    if driver is None:
        return f"torch sees no GPU ({said}) and no NVIDIA driver is loaded; install one for CUDA {built}, {instead}"
    if "too old" in said or "insufficient" in said:
        return (
            f"the NVIDIA driver {driver} is too old for this torch, which is built for CUDA {built} ({said}); install"
            f" a newer driver, or a torch built for the CUDA of `nvidia-smi`, {instead}"
        )
    return (
        f"torch sees no GPU ({said}), though the NVIDIA driver {driver} is loaded; look at `nvidia-smi` and at"
        f" CUDA_VISIBLE_DEVICES, {instead}"
    )


def driver_version(proc: Path = Path("/proc/driver/nvidia/version")) -> str | None:
    """The version of the loaded NVIDIA driver, None where there is none."""
    try:
        words = proc.read_text(encoding="utf-8").split()
    except OSError:
        return None
    return next(
        (word for word in words if word[0].isdigit() and word.count(".") in (1, 2)), "of unknown version"
    )


def device_name(device: str) -> str:
    """What a device is called: the GPU's name, or the word CPU."""
    if not device.startswith("cuda"):
        return "CPU"
    import torch

    return torch.cuda.get_device_name(device)
