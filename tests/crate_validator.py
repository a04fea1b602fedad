"""The RO-Crate validator of its community (roc-validator), without a network.

It fetches the terms of RO-Crate 1.1 from w3id.org. Here they come from the file that the library rocrate has of version
1.3, put into the validator's cache under the address of 1.1, with the few terms that 1.1 spells in another way.
"""

import json
from pathlib import Path
from typing import Any

import requests
import rocrate
from requests_cache import CachedSession
from requests_cache.models import CachedResponse
from rocrate_validator.models import Severity, ValidationSettings
from rocrate_validator.services import validate
from urllib3.response import HTTPResponse

CONTEXT = "https://w3id.org/ro/crate/1.1/context"
OF_1_1 = {
    "ComputationalWorkflow": "https://bioschemas.org/ComputationalWorkflow",
    "FormalParameter": "https://bioschemas.org/FormalParameter",
    "input": "https://bioschemas.org/ComputationalWorkflow#input",
    "output": "https://bioschemas.org/ComputationalWorkflow#output",
}
LEVELS = {"required": Severity.REQUIRED, "recommended": Severity.RECOMMENDED}


def terms() -> dict[str, str]:
    """The terms of RO-Crate 1.1 by their names."""
    path = Path(rocrate.__file__).parent / "data" / "ro-crate.jsonld"
    known: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))["@context"]
    return known | OF_1_1


def faults(crate: Path, profile: str, level: str, cache: Path) -> list[tuple[str, str]]:
    """What the validator finds in a crate: the check's name and what it says; `cache` is a folder to use."""
    settings = ValidationSettings(
        rocrate_uri=str(crate), profile_identifier=profile, requirement_severity=LEVELS[level],
        cache_path=_cache(cache), offline=True, skip_availability_check=True,
    )  # fmt: skip
    result = validate(settings)
    return sorted((one.check.identifier, str(one.message)) for one in result.get_issues())


def _cache(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with CachedSession(str(folder / "http"), backend="sqlite", allowable_methods=("GET",)) as session:
        body = json.dumps({"@context": terms()}).encode()
        answer = _answer(CONTEXT, body)
        session.cache.save_response(CachedResponse.from_response(answer))
    return folder / "http"


def _answer(url: str, body: bytes) -> Any:
    import io

    made = requests.Response()
    made.status_code, made.url, made._content = 200, url, body
    made.headers["Content-Type"] = "application/ld+json"
    made.request = requests.Request("GET", url).prepare()
    made.raw = HTTPResponse(io.BytesIO(body), status=200, preload_content=False, headers=made.headers)
    return made
