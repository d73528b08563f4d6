#!/usr/bin/env bash
# Stop what start.sh FOLDER has started, by its pid files alone.
RUN=$1
if [ -e "$RUN/pid/slurmctld.pid" ] && timeout 10 scancel --me; then
  for _ in $(seq 100); do # until slurmd has killed them: nobody does after it
    [ -z "$(timeout 10 squeue --me --noheader)" ] && break
    sleep 0.2
  done
fi
for daemon in slurmd slurmctld munged; do
  file=$RUN/pid/$daemon.pid
  [ -s "$file" ] || continue
  pid=$(cat "$file")
  rm -f "$file"
  [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$daemon" ] || continue
  kill "$pid"
  for _ in $(seq 100); do
    [ -d "/proc/$pid" ] || break
    sleep 0.1
  done
  [ -d "/proc/$pid" ] && kill -9 "$pid"
done
for file in slurm.conf gres.conf; do
  [ "$(readlink "/etc/slurm/$file")" = "$RUN/$file" ] && rm "/etc/slurm/$file"
done
exit 0
