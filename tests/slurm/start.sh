#!/usr/bin/env bash
# A real SLURM of one node on this machine, for the tests: munge, slurmctld and slurmd from Debian's
# packages, on loopback, with fake GPUs; as root, without systemd or cgroups. /etc/slurm/slurm.conf
# becomes a link to its configuration, since the executor plugin hides SLURM_CONF from srun.
#
#   start.sh FOLDER [CPUS [MEMORY_MB [GPUS]]]    its configuration, state, logs and pid files
#
# The node may claim more CPUs and memory than the machine has, so that jobs run side by side.
set -euo pipefail
RUN=$1 CPUS=${2:-4} MEMORY_MB=${3:-64000} GPUS=${4:-2}
HERE=$(cd "$(dirname "$0")" && pwd)
HOST=$(hostname -s)
INSTALLED=/etc/slurm/slurm.conf

if [ -L "$INSTALLED" ]; then # one that nobody has stopped
  "$HERE/stop.sh" "$(dirname "$(readlink "$INSTALLED")")"
elif [ -e "$INSTALLED" ]; then
  echo "$INSTALLED is there: this machine has a SLURM of its own" >&2
  exit 1
fi

packages=(munge slurmctld slurmd slurm-client)
if ! dpkg -s "${packages[@]}" >/dev/null 2>&1; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
fi
getent hosts "$HOST" >/dev/null || echo "127.0.0.1 $HOST" >>/etc/hosts
mkdir -p "$RUN"/{state,spool,log,pid}

if ! munge -n </dev/null >/dev/null 2>&1; then
  install -d -o munge -g munge -m 0755 /run/munge
  install -d -o munge -g munge -m 0700 /etc/munge /var/lib/munge /var/log/munge
  [ -s /etc/munge/munge.key ] || head -c 128 /dev/urandom >/etc/munge/munge.key
  chown munge:munge /etc/munge/munge.key
  chmod 400 /etc/munge/munge.key
  runuser -u munge -- /usr/sbin/munged --force
  cp /run/munge/munged.pid "$RUN/pid/munged.pid"
fi

# A GPU that is only counted is refused: each needs a device node, and one like /dev/null will do.
: >"$RUN/gres.conf"
for gpu in $(seq 0 $((GPUS - 1))); do
  [ -c "$RUN/gpu$gpu" ] || mknod "$RUN/gpu$gpu" c 1 3
  echo "NodeName=$HOST Name=gpu Type=a100 File=$RUN/gpu$gpu" >>"$RUN/gres.conf"
done

sed -e "s|@HOST@|$HOST|g; s|@RUN@|$RUN|g; s|@CPUS@|$CPUS|g" \
  -e "s|@MEMORY_MB@|$MEMORY_MB|g; s|@GPUS@|$GPUS|g" "$HERE/slurm.conf" >"$RUN/slurm.conf"
ln -s "$RUN/slurm.conf" "$INSTALLED"
ln -sf "$RUN/gres.conf" /etc/slurm/gres.conf

slurmctld -c
slurmd
for _ in $(seq 150); do
  [ "$(sinfo -h -o %T 2>/dev/null)" = idle ] && exit 0
  sleep 0.2
done
echo "SLURM did not become idle" >&2
sinfo >&2 || true
tail -n 30 "$RUN"/log/*.log >&2
exit 1
