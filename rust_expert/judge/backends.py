"""The backends by name: what locks samples in. There is no falling back from one to another."""

from rust_expert.common.config.judge import SandboxName
from rust_expert.judge.bubblewrap import Bubblewrap
from rust_expert.judge.firejail import Firejail
from rust_expert.judge.rooms import Backend
from rust_expert.judge.unsandboxed import Unsandboxed

_BACKENDS: dict[SandboxName, Backend] = {
    backend.name: backend for backend in (Bubblewrap(), Firejail(), Unsandboxed())
}


def backend_named(name: SandboxName) -> Backend:
    """The backend of that name, ready to use.

    Raises UserError with the command that installs it, where its program is missing or too old.
    """
    backend = _BACKENDS[name]
    backend.require()
    return backend


def not_promised(name: SandboxName) -> frozenset[str]:
    """What that backend does not hold, by the names of rust_expert.judge.probe; whether it is installed or not."""
    return _BACKENDS[name].not_promised
