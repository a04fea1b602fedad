"""Uploading an exported folder to the Hugging Face Hub, after saying exactly what would be uploaded."""

import os
from dataclasses import dataclass
from pathlib import Path

from httpx2 import HTTPError
from huggingface_hub import HfApi, get_token
from huggingface_hub.errors import (
    HfHubHTTPError,
    HFValidationError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)
from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

from rust_expert.common.errors import UserError
from rust_expert.models.exported import read_export

STALE = ["*.safetensors", "*.safetensors.index.json"]
"""Weights of an earlier upload: loaders would prefer one old file to several new ones."""


@dataclass(frozen=True)
class Upload:
    """What would be uploaded, and where to."""

    folder: Path
    files: dict[str, int]
    repo_id: str | None
    public: bool

    def lines(self) -> list[str]:
        """The whole plan in lines for a person."""
        told = [f"{size:>15,}  {name}" for name, size in self.files.items()]
        total = sum(self.files.values())
        where = self.repo_id or "no repository named yet (--repo-id OWNER/NAME)"
        seen = "public: everybody can read it" if self.public else "private, where it has to be made"
        return [
            *told,
            f"{total:>15,}  bytes in {len(told)} files",
            f"to {where}, {seen}; older {' and '.join(STALE)} there are replaced",
        ]


def plan(folder: Path, repo_id: str | None, public: bool) -> Upload:
    """What an upload of an exported folder would hold.

    Raises UserError where the folder is none, is not as it was exported, or lacks its card, and for a name that no
    repository can have.
    """
    read_export(folder)
    if not (folder / "README.md").is_file():
        raise UserError(f"{folder}: it has no card (README.md); write it with scripts.model_card first")
    if repo_id is not None:
        try:
            validate_repo_id(repo_id)
        except HFValidationError:
            raise UserError(f"--repo-id: {repo_id} is no repository of the Hub; write OWNER/NAME") from None
        if "/" not in repo_id:
            raise UserError(f"--repo-id: {repo_id} names no owner; write OWNER/NAME")
    files = {path.relative_to(folder).as_posix(): path.stat().st_size for path in sorted(folder.rglob("*"))}
    return Upload(folder, files, repo_id, public)


def upload(order: Upload) -> str:
    """Upload, making the repository where there is none; returns the address of the commit.

    Raises UserError where no repository is named, no token is there, the Hub cannot be reached or refuses, or the
    repository is public and `order.public` is not set. Nothing is uploaded then.
    """
    if order.repo_id is None:
        raise UserError("--yes: no repository is named; add --repo-id OWNER/NAME")
    if get_token() is None:
        raise UserError(
            "no token of the Hub is on this machine; log in with `hf auth login`, or set HF_TOKEN"
        )
    api = HfApi()
    try:
        _settle_repository(api, order)
        done = api.upload_folder(
            repo_id=order.repo_id,
            folder_path=order.folder,
            repo_type="model",
            commit_message=f"Upload {order.folder.absolute().parent.name}",
            delete_patterns=STALE,
        )
    except OfflineModeIsEnabled:
        raise UserError("HF_HUB_OFFLINE is set, so nothing can be uploaded; unset it") from None
    except HfHubHTTPError as error:
        status = error.response.status_code
        told = (error.server_message or f"HTTP status {status}").splitlines()[0]
        advice = {
            401: "check the token",
            403: "check that the token may write there",
        }.get(status, "try again later")
        raise UserError(f"{order.repo_id}: the Hub refused ({told}); {advice}") from None
    except ValueError as error:
        raise UserError(
            f"{order.repo_id}: the Hub does not accept this ({str(error).splitlines()[0]})"
        ) from None
    except (HTTPError, OSError) as error:
        where = os.environ.get("HF_ENDPOINT", "the Hub")
        raise UserError(
            f"{where} cannot be reached ({type(error).__name__}); check the network and run again: what is there"
            " already is not uploaded twice"
        ) from None
    return str(done.commit_url)


def _settle_repository(api: HfApi, order: Upload) -> None:
    """Make the repository where it is missing: private unless `--public`; refuse one that is public already."""
    assert order.repo_id is not None
    try:
        found = api.model_info(order.repo_id)
    except RepositoryNotFoundError:
        api.create_repo(order.repo_id, repo_type="model", private=not order.public)
        return
    if not found.private and not order.public:
        raise UserError(f"{order.repo_id}: the repository is public; add --public if everybody may read this")
