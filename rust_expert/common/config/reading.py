"""Profiles from their YAML files, laid over the default one as the workflow lays them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from rust_expert.common.config.profile import Profile, check
from rust_expert.common.errors import UserError


def read_profile(default: Path, files: Sequence[Path]) -> Profile:
    """The profile of `default` with each of `files` laid over it in turn.

    Raises UserError for a file that is missing or no YAML mapping, and for every fault of the profile.
    """
    merged: Any = {}
    for path in (default, *files):
        merged = laid_over(merged, _mapping_in(path))
    return check(merged)


def laid_over(under: Any, over: Any) -> Any:
    """`over` on top of `under`: mappings key by key, everything else replaced."""
    if isinstance(under, Mapping) and isinstance(over, Mapping):
        return {
            key: laid_over(under.get(key), over[key]) if key in over else under[key]
            for key in {**under, **over}
        }
    return over


def _mapping_in(path: Path) -> Mapping[str, Any]:
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError:
        raise UserError(f"{path}: no such profile; name a YAML file such as config/h100.yaml") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        told = " ".join(str(error).split())
        raise UserError(f"{path}: not YAML ({told}); mend it") from None
    if not isinstance(found, Mapping):
        raise UserError(f"{path}: holds no keys; give a profile such as config/h100.yaml")
    return found
