"""The faults that a user can mend, each one clear sentence and an exit code."""


class UserError(Exception):
    """Bad input: the message is one sentence that names the file, line or key, and what to do."""

    exit_code = 2


class NetworkError(UserError):
    """Something outside this machine could not be reached; trying again later may help."""

    exit_code = 1


class JudgeFault(Exception):
    """The judge itself broke; never to be read as a verdict about a model."""
