"""How a process that trains or samples is set up, before torch is imported."""

import logging
import os
import sys

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


def require_device(device: str) -> None:
    """Raise UserError where a GPU is asked for and none is there."""
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        raise UserError(
            "config key device: cuda was asked for, but torch sees no GPU; install a driver and a CUDA build of"
            " torch, or use the default profile (device: cpu)"
        )


def device_name(device: str) -> str:
    """What a device is called: the GPU's name, or the word CPU."""
    if not device.startswith("cuda"):
        return "CPU"
    import torch

    return torch.cuda.get_device_name(device)
