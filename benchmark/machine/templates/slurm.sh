#!/bin/bash
#SBATCH --job-name=motifidelity
#SBATCH --nodes={{ nodes }}
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task={{ cpus }}
#SBATCH --mem={{ memory_mib }}M
{% if gpus %}
#SBATCH --gpus-per-node={{ gpus }}
{% endif %}
#SBATCH --time={{ time }}
#SBATCH --requeue
#SBATCH --open-mode=append
{% if partition %}
#SBATCH --partition={{ partition }}
{% endif %}
{% if account %}
#SBATCH --account={{ account }}
{% endif %}
# Written by 'bench cluster slurm'. Ray runs on every node of the allocation, 'bench' on the first;
# submit it again to go on where it was stopped: finished jobs are skipped.
set -euo pipefail

image={{ image }}
cache=${MOTIFIDELITY_CACHE:-$PWD/.motifidelity-cache}
# Ray's sockets and a phase's files: on a disk of the node, by a short path
tmp=/tmp/motifidelity-$SLURM_JOB_ID
mkdir -p "$cache"

# all names are read before the first is taken: a reader that goes early ends scontrol and the script
hosts=$(scontrol show hostnames "$SLURM_JOB_NODELIST")
head=${hosts%%$'\n'*}
port=$((20000 + SLURM_JOB_ID % 20000))
address=$head:$port
# who may use the cluster: the processes of this script, and nobody else on the network
APPTAINERENV_RAY_AUTH_MODE=token
APPTAINERENV_RAY_AUTH_TOKEN=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
export APPTAINERENV_RAY_AUTH_MODE APPTAINERENV_RAY_AUTH_TOKEN

{% if nodes > 1 %}
srun --nodes={{ nodes }} --ntasks={{ nodes }} mkdir -p "$tmp"
{% else %}
mkdir -p "$tmp"
{% endif %}
inside=(
    apptainer exec --contain --cleanenv --no-home --writable-tmpfs{{ " --nv" if gpus }}
    --bind "$tmp:/tmp" --bind "$cache" --bind "$PWD" --pwd "$PWD"
{% for bind in binds %}
    --bind {{ bind }}
{% endfor %}
    --env "MOTIFIDELITY_CACHE=$cache" --env RAY_USAGE_STATS_ENABLED=0
    "$image"
)
node=(--num-cpus={{ cpus }} --num-gpus={{ gpus }} --memory={{ jobs_bytes }})

# a node's Ray ends with the step, and with it what it runs
finish() {
    trap - EXIT
    kill $(jobs -p) 2>/dev/null || true
    wait || true
}
trap finish EXIT

srun --nodes=1 --ntasks=1 --nodelist="$head" --overlap \
    "${inside[@]}" ray start --head --block --port="$port" --include-dashboard=false \
    "${node[@]}" &
for _ in $(seq 120); do
    if (exec 3<>"/dev/tcp/$head/$port") 2>/dev/null; then break; fi
    sleep 1
done
{% if nodes > 1 %}
srun --nodes={{ nodes - 1 }} --ntasks={{ nodes - 1 }} --exclude="$head" \
    "${inside[@]}" ray start --block --address="$address" "${node[@]}" &
{% endif %}

srun --nodes=1 --ntasks=1 --nodelist="$head" --overlap \
    "${inside[@]}" bench {{ command }} \
    --executor ray --address "$address" --nodes {{ nodes }}
