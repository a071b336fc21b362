"""Files for SLURM and Kubernetes: what they say, and that the script brings a cluster up."""

from __future__ import annotations

import shutil
import subprocess

import pytest
import yaml
from click.testing import CliRunner

from motifidelity.cli import bench
from motifidelity.errors import UserError
from motifidelity.machine.clusters import Allocation, kuberay, slurm

LINE = ("run", "--model", "my model.py", "--param", "a=$(reboot)")


def test_the_command_line_writes_both(tmp_path):
    (tmp_path / "m.py").write_text("def build_model(task): ...\n")
    options = ("--nodes", "3", "--cpus", "4", "--gpus", "2", "--memory", "16g")
    line = ("--", "run", "--model", "m.py")
    script = CliRunner().invoke(bench, ["cluster", "slurm", *options, "--time", "1:00:00", *line])
    assert script.output.startswith("#!/bin/bash\n#SBATCH --job-name=motifidelity\n")
    assert "#SBATCH --nodes=3\n" in script.output
    assert "#SBATCH --gpus-per-node=2\n" in script.output
    named = ("--image", "x/y:1", "--model-file", tmp_path / "m.py")
    manifest = CliRunner().invoke(bench, ["cluster", "kuberay", *options, *map(str, named), *line])
    assert manifest.exit_code == 0, manifest.output
    assert "kind: RayCluster" in manifest.output


@pytest.mark.parametrize("nodes", [1, 3])
@pytest.mark.parametrize("gpus", [0, 2])
def test_the_batch_script_is_one_that_bash_and_shellcheck_take(nodes, gpus, tmp_path):
    allocation = Allocation(nodes, 4, gpus, "16g", "2-00:00:00")
    text = slurm(LINE, allocation, image="a b.sif", partition="short", binds=["/data set"])
    (tmp_path / "job.sh").write_text(text)
    subprocess.run(["bash", "-n", tmp_path / "job.sh"], check=True)
    if shutil.which("shellcheck"):
        subprocess.run(["shellcheck", "--severity=warning", tmp_path / "job.sh"], check=True)
    assert "bench run --model 'my model.py' --param 'a=$(reboot)' \\\n" in text
    assert "image='a b.sif'" in text
    assert "--bind '/data set'" in text
    assert ("--nv" in text) == bool(gpus)
    assert ("--exclude" in text) == (nodes > 1)


def test_the_manifest_keeps_the_truth_out_of_the_cluster(tmp_path):
    (tmp_path / "m.py").write_text('"""A: #model"""\nx = "\\t: é"\n')
    text = kuberay(LINE, Allocation(3, 4, 1, "16g"), image="x/y:1", model=tmp_path / "m.py")
    config, claim, cluster, policy, job = yaml.safe_load_all(text)
    assert config["data"] == {"m.py": (tmp_path / "m.py").read_text()}
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["command"] + container["args"] == [
        *("bench", *LINE, "--executor", "ray"),
        *("--address", "ray://motifidelity-head-svc:10001", "--nodes", "3"),
    ]
    # begins when there is a cluster; may write to its volume; its logs outlive it
    (wait,) = pod["initContainers"]
    assert "motifidelity-head-svc/10001" in wait["args"][0]
    subprocess.run(["bash", "-n", "-c", wait["args"][0]], check=True)
    assert (pod["securityContext"], pod["restartPolicy"]) == ({"fsGroup": 1000}, "Never")
    volumes = {v["name"]: v for v in pod["volumes"]}
    assert volumes["work"]["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    (group,) = cluster["spec"]["workerGroupSpecs"]
    (worker,) = group["template"]["spec"]["containers"]
    assert group["replicas"] == 3
    assert worker["resources"]["limits"] == {
        "cpu": "4",
        "memory": "16384Mi",
        "nvidia.com/gpu": "1",
    }
    # Ray is told of less than the pod has: the rest is its own
    assert int(group["rayStartParams"]["memory"]) == 14 << 30
    assert "volumes" not in group["template"]["spec"]
    assert cluster["spec"]["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    assert policy["spec"]["podSelector"]["matchLabels"] == {"ray.io/cluster": "motifidelity"}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: slurm((), Allocation(), image="x"), "after two hyphens"),
        (lambda: slurm(("tasks",), Allocation(), image="x"), "after two hyphens"),
        (lambda: slurm(("run", "--executor=ray"), Allocation(), image="x"), "--executor away"),
        (lambda: slurm(("run", "a\nb"), Allocation(), image="x"), "line breaks"),
        (lambda: slurm(LINE, Allocation(), image="x", partition="a b"), "--partition 'a b'"),
        (lambda: Allocation(memory="1g"), "more than 2g"),
        (lambda: Allocation(memory="much"), "not a size"),
        (lambda: Allocation(time="soon"), "--time soon"),
        (lambda: kuberay(LINE, Allocation(), image="x: y"), "--image 'x: y'"),
        (lambda: kuberay(LINE, Allocation(), image="x", name="A_b"), "--name A_b"),
    ],
)
def test_what_would_break_a_file_is_refused(make, message):
    with pytest.raises(UserError, match=message):
        make()
