"""``bench doctor``: one screen, and the command that mends each thing."""

from __future__ import annotations

import json
import sys

import pytest

from motifidelity.machine import doctor


@pytest.fixture
def screen(monkeypatch, capfd, tmp_path):
    """Run the command; returns its status and its lines."""
    from motifidelity.cli import main

    # loading it takes seconds, and one test is enough
    monkeypatch.setattr(doctor, "_tensorflow", lambda: doctor.Check("TensorFlow", "ok", "2"))

    def run(*arguments):
        line = ["bench", "doctor", "--registry", str(tmp_path / "registry"), *arguments]
        monkeypatch.setattr(sys, "argv", line)
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, capfd.readouterr().out

    return run


def test_everything_is_on_one_screen(screen, engine, image):
    code, out = screen()
    lines = out.splitlines()
    assert code == 0
    assert len(lines) <= 24
    names = [line[8:20].strip() for line in lines if line[0] != " "]
    assert names == [
        *("Python", "TensorFlow", "cache", "registry"),
        *("Docker", "cgroups", "image", "GPU runtime"),
    ]
    text = " ".join(lines)
    assert f"engine {engine.info['ServerVersion']}" in text
    assert f"API {engine.client.version()['ApiVersion']}" in text
    assert f"version {engine.info['CgroupVersion']}" in text
    assert image.id[7:19] in text


def test_a_missing_daemon_is_named_with_its_remedy(screen, monkeypatch, tmp_path):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nowhere.sock")
    code, out = screen("--json")
    checks = {check["name"]: check for check in json.loads(out)}
    # a machine without Docker is no broken machine
    assert code == 0
    assert checks["Docker"]["state"] == "off"
    assert checks["Docker"]["mend"] in (
        "sudo systemctl start docker",
        "sudo apt-get install docker.io",
    )
    assert checks["image"]["detail"] == "needs the Docker daemon"


def test_a_damaged_registry_is_broken(screen, tmp_path):
    (tmp_path / "registry" / "jobs").mkdir(parents=True)
    (tmp_path / "registry" / "jobs" / "x.parquet").write_bytes(b"PAR1")
    code, out = screen()
    assert code == 1
    assert "broken  registry" in out
    assert "x.parquet: damaged" in out


def test_a_full_disk_is_broken(screen, small_disk, monkeypatch):
    monkeypatch.setenv("MOTIFIDELITY_CACHE", str(small_disk("size=1m")))
    code, out = screen()
    assert code == 1
    assert "2 GiB are needed" in out
    assert "mend it: export MOTIFIDELITY_CACHE=FOLDER" in out


def test_what_the_engine_cannot_enforce_is_named(engine):
    import dataclasses

    lame = dataclasses.replace(
        engine, info={**engine.info, "SwapLimit": False, "PidsLimit": False, "SecurityOptions": []}
    )
    assert lame.unenforced() == ["pids limit", "swap limit", "seccomp filter"]
    check = doctor._cgroups(lame)
    assert check.state == doctor.BROKEN
    assert "not enforced: pids limit, swap limit, seccomp filter" in check.detail
    assert check.mend


def test_tensorflow_is_really_loaded():
    check = doctor._tensorflow()
    assert check.state == doctor.OK
    assert check.detail.startswith("2.")


def test_help_and_import_do_not_load_docker():
    import subprocess

    program = (
        "import sys; sys.argv = ['bench', '--help']\n"
        "import motifidelity\nfrom motifidelity.cli import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "assert not {'docker', 'tensorflow', 'pandas', 'requests'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "doctor" in done.stdout
    assert "image" in done.stdout
