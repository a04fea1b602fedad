"""What the user's pip configuration says about package indexes, in words that uv understands (uv reads none of it)."""

import ast
import os
from pathlib import Path

_SCOPES = ("global", "install", ":env:")
"""Weakest first, as pip itself ranks them."""

_HARMLESS = {
    "break-system-packages", "cache-dir", "disable-pip-version-check", "format", "no-cache-dir", "no-color", "no-input",
    "progress-bar", "quiet", "require-virtualenv", "resume-retries", "retries", "root-user-action", "use-deprecated",
    "use-feature", "user", "verbose",
}  # fmt: skip


def pip_settings(listing: str) -> dict[str, str]:
    """The settings in the output of `pip config list`, the strongest scope winning."""
    found: dict[str, tuple[int, str]] = {}
    for line in listing.splitlines():
        key, _, quoted = line.partition("=")
        scope, _, name = key.strip().rpartition(".")
        if scope not in _SCOPES or not name:
            continue
        try:
            value = str(ast.literal_eval(quoted))
        except (SyntaxError, ValueError):
            value = quoted.strip("'\"")
        rank = _SCOPES.index(scope)
        if name not in found or found[name][0] <= rank:
            found[name] = (rank, value)
    return {name: value for name, (_, value) in found.items()}


def uv_environment(settings: dict[str, str], environment: dict[str, str]) -> dict[str, str] | None:
    """The environment variables that make uv use the same indexes as pip would.

    What `environment` already says to uv itself stays. None where a setting has no counterpart: then pip must do it.
    """
    made: dict[str, str] = {"UV_SYSTEM_CERTS": "1"}
    for name, value in settings.items():
        words = value.split()
        if name == "index-url":
            made["UV_DEFAULT_INDEX"] = value
        elif name == "extra-index-url":
            # pip takes the pinned version from whichever index has it; uv would stop at the first.
            made["UV_INDEX"] = " ".join(words)
            made["UV_INDEX_STRATEGY"] = "unsafe-best-match"
        elif name == "find-links":
            there = [word for word in words if "://" in word or Path(os.path.expanduser(word)).exists()]
            if there:
                made["UV_FIND_LINKS"] = ",".join(there)
        elif name == "trusted-host":
            made["UV_INSECURE_HOST"] = " ".join(words)
        elif name == "cert":
            made["SSL_CERT_FILE"] = value
        elif name in ("timeout", "default-timeout"):
            made["UV_HTTP_TIMEOUT"] = str(int(float(value)))
        elif name == "proxy":
            made |= {"HTTP_PROXY": value, "HTTPS_PROXY": value}
        elif name == "no-index":
            if value.lower() in ("1", "true", "yes", "on"):
                made["UV_NO_INDEX"] = "1"
        elif name not in _HARMLESS:
            return None
    return {key: value for key, value in made.items() if key not in environment}
