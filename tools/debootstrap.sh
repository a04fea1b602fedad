#!/bin/sh
# Install debootstrap from Debian's or Ubuntu's packages, for `make test-image`, which needs root for its mounts too.
#
# Exit codes: 0 all is there; 2 it could not be installed, or whoever runs this is not root.
set -eu

if [ "$(id -u)" != 0 ]; then
    echo "image: mounts of its own need root; run: sudo make test-image" >&2
    exit 2
fi
if command -v debootstrap >/dev/null 2>&1; then
    exit 0
fi
echo "image: debootstrap not found; installing it with apt"
if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends debootstrap >/dev/null; }; then
    echo "image: debootstrap could not be installed; run: apt-get install debootstrap" >&2
    exit 2
fi
