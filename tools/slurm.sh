#!/bin/sh
# Install Slurm and munge from Debian's or Ubuntu's packages, for `make test-slurm`. Starts nothing: the tests run daemons
# of their own on loopback, in folders of their own, and no service of this machine is configured or enabled.
#
# Exit codes: 0 all is there; 2 it could not be installed.
set -eu

missing=""
for program in slurmctld slurmd sbatch munged; do
    command -v "$program" >/dev/null 2>&1 || [ -x "/usr/sbin/$program" ] || missing="$missing $program"
done
if [ -z "$missing" ]; then
    exit 0
fi
as_root=""
if [ "$(id -u)" != 0 ]; then
    as_root="sudo -n"
fi
if ! command -v apt-get >/dev/null 2>&1 || ! { [ -z "$as_root" ] || $as_root true 2>/dev/null; }; then
    echo "slurm:$missing not found; install Slurm and munge with this system's packages (Debian: slurm-wlm munge)" >&2
    exit 2
fi
echo "slurm:$missing not found; installing slurm-wlm and munge with apt"
# Debian would start the services with a configuration that is not there; a policy says no for this one call.
policy=/usr/sbin/policy-rc.d
own=""
if [ ! -e "$policy" ]; then
    own=yes
    printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
    $as_root chmod 755 "$policy"
fi
status=0
{ $as_root apt-get update -qq &&
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends slurm-wlm munge >/dev/null; } || status=2
if [ -n "$own" ]; then
    $as_root rm -f "$policy"
fi
exit $status
