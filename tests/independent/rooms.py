"""Compiling a crate again and again, with one file changed each time, by `cargo check` in the sandbox: one change, one
run.
"""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from rust_expert.judge.sandbox import Limits, Sandbox

_LIMITS = Limits(
    cpu_seconds=1200, wall_seconds=7200.0, memory_mb=4096, processes=256, work_mb=3072, open_files=1024,
    output_kb=1_048_576,
)  # fmt: skip
_SCRIPT = """
export CARGO_HOME=/work/home CARGO_TARGET_DIR=/work/target CARGO_INCREMENTAL=0 RUSTC=/rust/bin/rustc HOME=/work
export CARGO_TERM_COLOR=never CARGO_BUILD_JOBS=1 RUSTFLAGS=--cap-lints=allow PATH=/rust/bin:$PATH
cp -r /original /work/crate && chmod -R u+w /work/crate && mkdir -p /work/stub/src && touch /work/stub/src/lib.rs
cp /in/stub.toml /work/stub/Cargo.toml
check() {
  cd /work/stub && cargo check --offline --quiet --message-format=json --config profile.dev.debug=false \
    --config "source.crates-io.replace-with='v'" --config "source.v.directory='/vendor'" 2>/work/err
  echo "@ $1 $?"
  [ "$1" = 0 ] && tail -c 600 /work/err >&2
}
check 0
cat /work/target/debug/deps/"$name"-*.d 2>/dev/null | sed 's/^/d /'
number=1
while read -r file; do
  cp "/original/$file" /work/kept
  cp "/in/form$number" "/work/crate/$file" && touch -d "now + $number seconds" "/work/crate/$file"
  check "$number"
  cp /work/kept "/work/crate/$file" && touch -d "now + $number seconds" "/work/crate/$file"
  number=$((number + 1))
done < /in/order
"""


@dataclass
class Said:
    """What one compilation said: whether it went well, its errors as rustc prints them in JSON."""

    ok: bool
    errors: list[dict[str, object]] = field(default_factory=list)


def compiled(
    name: str, root: Path, vendor: Path, changes: list[tuple[str, bytes]]
) -> tuple[list[Said], set[str], str]:
    """The crate as it is, then with each change alone (a file's path and its bytes); the files that took part; what
    cargo said where the crate itself fails.
    """
    files: dict[str, str | bytes] = {
        "stub.toml": '[package]\nname = "stub"\nversion = "0.0.0"\nedition = "2021"\n'
        f'[dependencies]\n{name} = {{ path = "/work/crate" }}\n',
        "order": "".join(f"{file}\n" for file, _ in changes),
    }
    for number, (_, content) in enumerate(changes, start=1):
        files[f"form{number}"] = content
    script = f"name={re.sub('-', '_', name)}\n{_SCRIPT}"
    done = Sandbox(_LIMITS).run(
        ["/bin/sh", "-c", script], files=files, mounts={"/original": root, "/vendor": vendor}
    )
    said: list[Said] = []
    errors: list[dict[str, object]] = []
    seen: set[str] = set()
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            row = json.loads(line)
            message = row.get("message", {})
            if row.get("reason") == "compiler-message" and message["level"] == "error" and message["spans"]:
                errors.append(message)
        elif line.startswith("@ "):
            said.append(Said(line.split()[2] == "0", errors))
            errors = []
        elif line.startswith("d "):
            seen |= {word.removeprefix("/work/crate/") for word in line[2:].replace(":", " ").split()}
    return said, seen, done.stderr
