"""Images: built from the packaged recipe, named by content, listed, inspected, removed."""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
from pathlib import Path

import pytest

from motifidelity.containers.images import ACCELERATORS, accelerator_of
from motifidelity.errors import UserError

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("accelerator", ACCELERATORS)
def test_every_requirement_is_pinned_by_hash(accelerator):
    text = (ROOT / f"containers/requirements-{accelerator}.lock").read_text()
    packages = re.findall(r"^(\S+)==\S+ \\$", text, re.MULTILINE)
    entries = re.split(r"\n(?=\S)", text.strip())
    assert len(packages) == len(entries) > 30
    assert all("--hash=sha256:" in entry for entry in entries)
    assert "://" not in text
    device, _, backend = accelerator.partition("-")
    # beside another backend TensorFlow only freezes
    assert ("tensorflow" if accelerator == "gpu" else "tensorflow-cpu") in packages
    assert not backend or backend in {p.partition("[")[0] for p in packages}
    assert any(p.startswith("nvidia-cudnn") for p in packages) == (device == "gpu")


def test_the_context_holds_the_recipe_and_no_project_code():
    from motifidelity.containers.images import _context

    first, again = _context("cpu", None).getvalue(), _context("cpu", None).getvalue()
    assert first == again
    names = tarfile.open(fileobj=io.BytesIO(first)).getnames()
    assert sorted(names) == ["Dockerfile", "requirements-cpu.lock"]


def test_an_image_holds_no_project_code_no_pip_and_no_certificates(engine, image, policy):
    from motifidelity.containers.images import run_trusted

    program = (
        "import glob, importlib.util, json, os; print(json.dumps({"
        "'found': [m for m in ('motifidelity', 'pip') if importlib.util.find_spec(m)],"
        "'tensorflow': bool(importlib.util.find_spec('tensorflow')),"
        "'build': glob.glob('/build/*'), 'uid': os.getuid()}))"
    )
    found = json.loads(run_trusted(engine, image, policy, program))
    assert found["found"] == []
    assert found["build"] == []
    assert found["tensorflow"] is True
    assert found["uid"] == int(policy.user.partition(":")[0])
    layers = " ".join(step["CreatedBy"] for step in engine.client.images.get(image.id).history())
    assert "ca-bundle" not in layers


def test_list_and_inspect_name_the_content(bench, image):
    code, out, _ = bench("image", "list")
    assert code == 0
    assert image.name in out
    assert image.id[7:19] in out
    assert "current" in out
    code, out, _ = bench("image", "inspect")
    found = json.loads(out)
    assert found["id"] == image.id
    assert found["packages"]["python"].startswith("3.")
    assert found["packages"]["tensorflow"].startswith("2.")


def test_an_image_that_is_not_there_is_one_line_with_the_remedy(bench, image):
    code, out, err = bench("image", "inspect", "no-such-image:1")
    assert (code, out) == (2, "")
    assert err == "bench: image no-such-image:1: this engine has none; run 'bench image build'\n"


def test_a_base_that_cannot_be_fetched_is_one_line_with_the_remedy(bench, image):
    code, _, err = bench("image", "build", "--quiet", "--base", "localhost:1/no-such:1")
    assert code == 1
    assert "replaced with --base" in err
    assert len(err.splitlines()) == 1


def test_prune_removes_what_is_of_another_version_alone(bench, engine, image):
    from motifidelity.containers.engine import LABEL

    recipe = f"FROM {image.id}\nLABEL {LABEL}.lock=old\n".encode()
    engine.client.images.build(fileobj=io.BytesIO(recipe), tag="motifidelity-worker:old", rm=True)
    code, out, _ = bench("image", "prune")
    assert code == 0
    assert "removed motifidelity-worker:old" in out
    assert not engine.client.images.list("motifidelity-worker:old")
    assert engine.client.images.get(image.id)


def test_versions_are_asked_once_and_kept_by_digest(engine, image, tmp_path):
    from motifidelity.containers.images import packages

    found = packages(engine, image, tmp_path)
    kept = tmp_path / "images" / f"{image.id[7:]}.json"
    assert json.loads(kept.read_text()) == found
    kept.write_text('{"python": "0"}')
    assert packages(engine, image, tmp_path) == {"python": "0"}


def test_a_program_that_fails_is_one_line(engine, image, policy):
    from motifidelity.containers.images import run_trusted

    with pytest.raises(UserError, match=r"ValueError: no$"):
        run_trusted(engine, image, policy, "raise ValueError('no')")


def test_the_recipe_s_digest_covers_the_dockerfile_and_the_lock():
    from motifidelity.containers.images import recipe_digest

    parts = [
        (ROOT / "containers" / n).read_bytes() for n in ("Dockerfile", "requirements-cpu.lock")
    ]
    assert recipe_digest("cpu") == hashlib.sha256(b"\0".join(parts)).hexdigest()
    assert recipe_digest("gpu") != recipe_digest("cpu")


def test_each_backend_has_its_image_and_the_command_that_builds_it(engine):
    from motifidelity.containers.images import default_name, find

    assert accelerator_of("tensorflow", gpu=False) == "cpu"
    assert accelerator_of("jax", gpu=True) == "gpu-jax"
    with pytest.raises(UserError, match="runs on processors too"):
        accelerator_of("torch", gpu=False)
    with pytest.raises(UserError, match="run 'bench image build --gpu --backend torch'"):
        find(engine, default_name(accelerator_of("torch", gpu=True)))
