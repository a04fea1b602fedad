"""What the rules share: the checked configuration, code fingerprints, flags of a config section."""

import os
import sys
from pathlib import Path

ROOT = Path(workflow.basedir).resolve()
sys.path.insert(0, str(ROOT))
os.environ["PYTHONPATH"] = os.pathsep.join(
    [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
)

from rust_expert.common import cli
from rust_expert.common.closure import code_fingerprint
from rust_expert.common.config import profile
from rust_expert.common.errors import UserError
from rust_expert.common.seeds import shard_of
from rust_expert.common.toolchain import rustc_version


def or_stop(check, *arguments):
    """The value of a check; bad input ends the run with its one sentence and exit code before any job starts."""
    try:
        return check(*arguments)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


def at_root(path):
    """A path of the repository as seen from the working folder, so that records do not depend on where a clone lies."""
    return os.path.relpath(ROOT / path)


def code_of(module, env):
    """The fingerprint of a script's import closure and of its environment's lock."""
    return code_fingerprint(module, ROOT, (ROOT / "envs" / f"{env}.lock",))


CONFIG = or_stop(profile.check, config)
TOOLCHAIN = or_stop(rustc_version)
