"""The policy: what is printed, what is stored, and what the engine is really told."""

from __future__ import annotations

import json

import pytest

from motifidelity.containers.policy import Policy, parse_size
from motifidelity.errors import UserError


@pytest.mark.parametrize(
    ("text", "size"),
    [("512m", 512 << 20), ("8g", 8 << 30), ("1.5GiB", 3 << 29), ("2GB", 2 << 30), ("99", 99)],
)
def test_a_size_is_read_in_binary_units(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "8 apples", "-1g", "1e9", "g"])
def test_anything_else_is_refused_with_an_example(text):
    with pytest.raises(UserError, match="512m or 8g"):
        parse_size(text)


def test_the_standard_policy_is_not_wider_than_itself():
    assert Policy().widened() == ()
    assert Policy().with_limits(memory="1g", cpus=0.5, timeout=60.0).widened() == ()


def test_each_wider_limit_is_named_with_the_standard():
    wide = Policy().with_limits(memory="64g", cpus=8.0, timeout=1e6, gpus="all")
    assert wide.widened() == (
        "memory 64 GiB (standard: 8 GiB)",
        "cpus 8 (standard: 2)",
        "timeout 1000000 s a phase (standard: 21600 s a phase)",
        "gpus all (standard: none)",
    )


@pytest.mark.parametrize("limit", [{"memory": "1m"}, {"cpus": 0.0}, {"timeout": 0.0}])
def test_a_limit_too_low_for_any_work_is_refused(limit):
    with pytest.raises(UserError, match="at least"):
        Policy().with_limits(**limit)


def test_the_stored_policy_is_the_whole_policy():
    assert Policy(**json.loads(Policy(memory=1 << 30).to_json())) == Policy(memory=1 << 30)


def test_a_container_gets_every_rule_of_the_policy(engine, image, policy):
    from motifidelity.containers.sandbox import create_options

    container = engine.client.containers.create(image.id, "true", **create_options(policy, "fit"))
    try:
        container.reload()
        host, config = container.attrs["HostConfig"], container.attrs["Config"]
    finally:
        container.remove(force=True)
    assert host["NetworkMode"] == "none"
    assert host["ReadonlyRootfs"] is True
    assert host["CapDrop"] == ["ALL"]
    assert not host["CapAdd"]
    assert host["Privileged"] is False
    # no filter is named: the engine's own is used
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert any("seccomp" in option for option in engine.info["SecurityOptions"])
    assert host["Init"] is True
    assert (host["Memory"], host["MemorySwap"]) == (policy.memory, policy.memory)
    assert host["NanoCpus"] == int(policy.cpus * 1e9)
    assert host["PidsLimit"] == policy.pids
    assert host["OomKillDisable"] in (False, None)
    assert host["Tmpfs"].keys() == {"/tmp"}
    assert {"noexec", "nosuid", "nodev", f"size={policy.tmp}"} <= set(
        host["Tmpfs"]["/tmp"].split(",")
    )
    assert host["ShmSize"] == policy.shm
    assert (host["IpcMode"], host["PidMode"], host["UTSMode"]) == ("private", "", "")
    assert host["LogConfig"]["Type"] == "none"
    assert {u["Name"] for u in host["Ulimits"]} == {"nofile", "fsize", "core", "cpu"}
    assert not host["Devices"]
    assert not host["DeviceRequests"]
    assert not host["Binds"]
    assert config["User"] == policy.user != "0:0"
    assert not any("proxy" in entry.lower() for entry in config["Env"])


def test_a_phase_mounts_its_inputs_read_only_and_one_folder_to_write(tmp_path, policy):
    import os

    from motifidelity.containers.sandbox import WORKER, stage
    from motifidelity.phase.interface import Phase

    (tmp_path / "fit").mkdir()
    (tmp_path / "x.npy").write_bytes(b"x")
    model = tmp_path.parent / "odd name;$(rm).py"
    model.write_text("x")
    model.chmod(0o600)
    phase = Phase("fit", {"seed": 1}, {"model": model, "x": tmp_path / "x.npy"}, tmp_path / "fit")
    mounts = stage(phase, WORKER, policy.user)
    writable = [m["Target"] for m in mounts if not m["ReadOnly"]]
    assert writable == ["/out"]
    assert sorted(m["Target"] for m in mounts if m["ReadOnly"]) == [
        "/in/model/odd_name___rm_.py",
        "/in/request.json",
        "/in/x/x.npy",
        "/opt/harness/motifidelity/worker",
    ]
    assert all(m["Type"] == "bind" for m in mounts)
    if os.getuid() == 0:
        assert (tmp_path / "fit").stat().st_uid == int(policy.user.partition(":")[0])
    # the user's own file keeps its rights; what is mounted is a copy
    assert model.stat().st_mode & 0o777 == 0o600
