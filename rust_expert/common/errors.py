"""The faults that a user can mend, each one clear sentence and an exit code."""

import errno

NO_ROOM = "No space left on the disk"
MAKE_ROOM = "make room and start again; nothing finished is lost"

_FULL = (errno.ENOSPC, errno.EDQUOT)
_SAID = ("No space left on device", "Disk quota exceeded", "PytorchStreamWriter failed writing file")
"""How libraries that have no errno say it."""


class UserError(Exception):
    """Bad input: the message is one sentence that names the file, line or key, and what to do."""

    exit_code = 2


class NetworkError(UserError):
    """Something outside this machine could not be reached; trying again later may help."""

    exit_code = 1


class DiskFull(UserError):
    """No room to write; nothing that stands whole is lost, and the same command goes on once there is room."""

    exit_code = 1


class JudgeFault(Exception):
    """The judge itself broke; never to be read as a verdict about a model."""


def as_user_error(error: BaseException) -> BaseException:
    """A DiskFull in place of what is one, by errno or by the words of a library; any other error as it is."""
    full = isinstance(error, OSError) and error.errno in _FULL
    if isinstance(error, UserError) or not (full or any(words in str(error) for words in _SAID)):
        return error
    file = getattr(error, "filename", None)
    where = f" for {file}" if file else ""
    return DiskFull(f"{NO_ROOM}{where}: {MAKE_ROOM}")
