#!/bin/sh
# Set up everything that `make run` and `make test` need: finds (or installs) a Python from 3.11 to 3.13 that can make
# virtual environments, then hands over to tools/setup.py. Run again it changes nothing and takes a fraction of a second.
#
#   PYTHON=python3.12 make run      another interpreter for .venv
#
# Exit codes: 0 all is there; 2 something is missing that could not be installed (its command is printed); 1 network.
set -eu
cd "$(dirname "$0")/.."

usable() {
    command -v "$1" >/dev/null 2>&1 && "$1" -c '
import ensurepip, sys, venv
sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1
}

search() {
    if [ -n "${PYTHON:-}" ]; then
        if usable "$PYTHON"; then
            echo "$PYTHON"
        fi
        return
    fi
    # A whole .venv stays with its own Python.
    if [ ! -e .venv/rust-expert-unfinished ] && usable .venv/bin/python; then
        echo .venv/bin/python
        return
    fi
    for candidate in python3.11 python3.12 python3.13 python3 /usr/bin/python3; do
        if usable "$candidate"; then
            echo "$candidate"
            return
        fi
    done
}

# The Debian packages of the first Python in range that this system offers.
packages() {
    for version in 3.13 3.12 3.11; do
        case "$(apt-cache policy "python$version-venv" 2>/dev/null | grep Candidate)" in
        "" | *none*) ;;
        *)
            echo "python$version python$version-venv"
            return
            ;;
        esac
    done
}

as_root=""
if [ "$(id -u)" != 0 ]; then
    as_root="sudo -n"
fi

python=$(search)
if [ -z "$python" ] && [ -z "${PYTHON:-}" ] && command -v apt-get >/dev/null 2>&1; then
    if [ -z "$as_root" ] || $as_root true 2>/dev/null; then
        echo "set-up: no Python from 3.11 to 3.13 with its venv module; installing one with apt"
        $as_root apt-get update -qq || true
        wanted=$(packages)
        if [ -n "$wanted" ]; then
            # shellcheck disable=SC2086  # two packages, two words
            $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $wanted >/dev/null || true
            for version in 3.13 3.12 3.11; do
                if [ -z "$python" ] && usable "/usr/bin/python$version"; then
                    python="/usr/bin/python$version"
                fi
            done
        fi
    fi
fi
if [ -z "$python" ]; then
    if [ -n "${PYTHON:-}" ]; then
        echo "set-up: PYTHON=$PYTHON is no Python from 3.11 to 3.13 with its venv module; name another one" >&2
    else
        wanted=$(packages)
        echo "set-up: no Python from 3.11 to 3.13 with its venv module was found; run: " \
            "sudo apt-get install ${wanted:-python3 python3-venv}" >&2
    fi
    exit 2
fi
exec "$python" -m tools.setup "$@"
