#!/bin/sh
# Start the doctor with the Python of .venv, or with any Python 3 where that is not there yet.
cd "$(dirname "$0")/.." || exit 2
for candidate in .venv/bin/python python3.11 python3.12 python3.13 python3; do
    if "$candidate" -c 'import dataclasses' >/dev/null 2>&1; then
        exec "$candidate" -m scripts.doctor "$@"
    fi
done
echo "python: none found; fix: sudo apt-get install python3 python3-venv" >&2
exit 2
