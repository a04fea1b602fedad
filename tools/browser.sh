#!/bin/sh
# What the tests of tests/browser need: Chromium by apt, axe-core by npm at the version and hash of package-lock.json.
#
# Exit codes: 0 all is there; 2 something is missing that could not be installed (its command is printed).
set -eu
cd "$(dirname "$0")/.."

as_root=""
if [ "$(id -u)" != 0 ]; then
    as_root="sudo -n"
fi

install() {
    echo "browser: apt-get install $1"
    if ! { $as_root apt-get update -qq && $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "$1" >/dev/null; }; then
        echo "browser: $1 could not be installed; run: sudo apt-get install $1" >&2
        exit 2
    fi
}

command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || install chromium
command -v npm >/dev/null || install npm

folder=tests/browser
# npm writes this copy of the lock last, when all is in its place.
if [ ! "$folder/node_modules/.package-lock.json" -nt "$folder/package-lock.json" ]; then
    echo "browser: npm ci"
    # Refuses what has another hash than the lock says; no script of a package is run.
    if ! npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund --silent; then
        echo "browser: axe-core could not be installed; run: npm ci --prefix $folder --ignore-scripts" >&2
        exit 2
    fi
fi
