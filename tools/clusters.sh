#!/bin/sh
# Install requirements-clusters.txt into .clusters, for Snakemake alone: `PYTHONPATH=.clusters snakemake ...` finds the
# plugins there, while the jobs' own PYTHONPATH does not name it. Run again it changes nothing as long as that file does not.
set -eu
cd "$(dirname "$0")/.."
if cmp -s requirements-clusters.txt .clusters/requirements-clusters.txt; then
    exit 0
fi
echo "clusters: installing the plugins of requirements-clusters.txt into .clusters"
rm -rf .clusters
mkdir .clusters
# What .venv has too has the same version there, but for the package that is the reason for a folder of its own.
grep -v '^python-dateutil' requirements.lock >.clusters/constraint.txt
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-compile --target .clusters \
    -c .clusters/constraint.txt -r requirements-clusters.txt
cp requirements-clusters.txt .clusters/
