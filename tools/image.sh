#!/bin/sh
# What an image needs beside the checkout, run as root in a bare Debian while it is built; Dockerfile and apptainer.def
# hold no step of their own. No version stands here: packages come by requirements.lock, Rust by rust-toolchain.toml.
set -eu
cd "$(dirname "$0")/.."

export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# rustup before set-up looks for a compiler, or it would take Debian's; make and git for `make verify` and provenance.
apt-get install -y -qq --no-install-recommends ca-certificates git make rustup util-linux >/dev/null
# Whoever runs the image reads the commit of a checkout that root made.
git config --system --replace-all safe.directory "$PWD"
# No manuals of Rust, whichever call of rustc first fetches the toolchain.
rustup set profile minimal
sh tools/setup.sh --for-image
# Whoever runs the image does so in a folder outside the checkout, where no rust-toolchain.toml stands.
rustup default "$(rustup show active-toolchain | cut -d ' ' -f 1)"
chmod -R a+rX "$RUSTUP_HOME"
apt-get clean
rm -rf /var/lib/apt/lists/* "$HOME/.cache"
