#!/bin/sh
# Get what the gate of security advisories needs: cargo-audit, built by cargo, and a copy of the RustSec database in
# resources/advisory-db, brought up to date where it is there already. `make run` itself never fetches either of them.
#
#   sh tools/advisories.sh [REVISION]      the database as of a revision, for a run that is to be repeated
set -eu
cd "$(dirname "$0")/.."
VERSION=0.22.2
FOLDER=resources/advisory-db

if ! command -v cargo-audit >/dev/null 2>&1; then
    echo "advisories: building cargo-audit $VERSION (some minutes)"
    cargo install --quiet --locked --version "$VERSION" cargo-audit
fi
if [ ! -d "$FOLDER/.git" ]; then
    mkdir -p "$(dirname "$FOLDER")"
    git clone --quiet https://github.com/rustsec/advisory-db "$FOLDER"
else
    git -C "$FOLDER" fetch --quiet
fi
git -C "$FOLDER" checkout --quiet --detach "${1:-origin/HEAD}"
echo "advisories: $FOLDER is at revision $(git -C "$FOLDER" rev-parse HEAD)"
