"""Worker images: built from the project's own Dockerfile, named by what is in them."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from motifidelity.backends import DEFAULT_BACKEND
from motifidelity.containers.engine import LABEL, Engine, EngineError, engine_errors
from motifidelity.containers.policy import Policy
from motifidelity.containers.sandbox import create_options
from motifidelity.errors import DataError, UserError
from motifidelity.provenance import OPTIONAL, PACKAGES

REPOSITORY = "motifidelity-worker"
# an accelerator, with the backend that the image has beside TensorFlow
ACCELERATORS = ("cpu", "gpu", "cpu-jax", "gpu-jax", "gpu-torch")
_LOCK = f"{LABEL}.lock"
_ACCELERATOR = f"{LABEL}.accelerator"
_BASE = f"{LABEL}.base"
# a tensorflow-cpu wheel is recorded under the name that a row knows it by
_VERSIONS = """
import json, platform
from importlib import metadata
found = {"python": platform.python_version()}
for name, others in %r.items():
    for other in others:
        try:
            found[name] = metadata.version(other)
            break
        except metadata.PackageNotFoundError:
            pass
print(json.dumps(found))
"""


@dataclass(frozen=True)
class WorkerImage:
    """An image that phases can run in.

    Attributes
    ----------
    id : str
        Digest of its content, ``sha256:...``, which rows record.
    name : str
        How it was asked for, or its tag.
    accelerator : str
        One of `ACCELERATORS`, or ``unknown`` for an image that was built elsewhere.
    base : str
    size : int
        Bytes.
    created : str
    current : bool
        Whether it was built from the Dockerfile and the locked requirements of this version.
    """

    id: str
    name: str
    accelerator: str
    base: str
    size: int
    created: str
    current: bool


def accelerator_of(backend: str, *, gpu: bool) -> str:
    """The accelerator of the image for a backend.

    Raises
    ------
    UserError
        For PyTorch without a GPU, whose build without CUDA no index has.
    """
    name = "gpu" if gpu else "cpu"
    name = name if backend == DEFAULT_BACKEND else f"{name}-{backend}"
    if name not in ACCELERATORS:
        raise UserError(
            f"backend {backend}: there is no locked build of it without CUDA; the image with CUDA "
            "runs on processors too: 'bench image build --gpu --backend torch', then --image "
            f"{REPOSITORY}:gpu-{backend}"
        )
    return name


def default_name(accelerator: str) -> str:
    """Name of the image for an accelerator."""
    return f"{REPOSITORY}:{accelerator}"


def recipe_digest(accelerator: str) -> str:
    """Digest of the Dockerfile and the locked requirements."""
    files = (_packaged("Dockerfile"), _packaged(f"requirements-{accelerator}.lock"))
    return hashlib.sha256(b"\0".join(files)).hexdigest()


def build(
    engine: Engine,
    accelerator: str,
    base: str | None,
    ca_bundle: Path | None,
    on_line: Callable[[str], None],
    *,
    fresh: bool = False,
) -> WorkerImage:
    """Build the image of an accelerator and name it.

    Parameters
    ----------
    engine : Engine
    accelerator : str
        One of `ACCELERATORS`.
    base : str, optional
        Image to start from; default: the Dockerfile's.
    ca_bundle : Path, optional
        Certificates for a package index behind a proxy; they do not stay in the image.
    on_line : callable
        Receives each line of the build.
    fresh : bool
        Do not use the engine's cache of earlier steps.

    Raises
    ------
    UserError
        If the bundle cannot be read, or a step fails: the step's last lines.
    """
    arguments = {"ACCELERATOR": accelerator, **({"BASE": base} if base else {})}
    marks = {
        LABEL: "image",
        _LOCK: recipe_digest(accelerator),
        _ACCELERATOR: accelerator,
        _BASE: base or "the Dockerfile's",
    }
    last: list[str] = []
    with engine_errors("bench image build"):
        events = engine.client.api.build(
            fileobj=_context(accelerator, ca_bundle),
            custom_context=True,
            tag=default_name(accelerator),
            buildargs=arguments,
            labels=marks,
            nocache=fresh,
            rm=True,
            forcerm=True,
            decode=True,
        )
        for line in _build_lines(events, last):
            on_line(line)
    return find(engine, default_name(accelerator))


def find(engine: Engine, name: str) -> WorkerImage:
    """Image by name or digest.

    Raises
    ------
    UserError
        If the engine has none of that name.
    """
    import docker

    with engine_errors(f"image {name}"):
        try:
            image = engine.client.images.get(name)
        except docker.errors.ImageNotFound:
            build_it = _build_command(name)
            raise UserError(f"image {name}: this engine has none; run '{build_it}'") from None
    return _described(image, name)


def _build_command(name: str) -> str:
    """The command that builds an image of a default name, or the standard one."""
    known = name.removeprefix(f"{REPOSITORY}:")
    accelerator, _, backend = (known if known in ACCELERATORS else "cpu").partition("-")
    options = (" --gpu" if accelerator == "gpu" else "") + (f" --backend {backend}" * bool(backend))
    return f"bench image build{options}"


def list_images(engine: Engine) -> list[WorkerImage]:
    """Worker images of this engine, those without a name included, newest first."""
    with engine_errors("listing images"):
        images = engine.client.images.list(filters={"label": f"{LABEL}=image"})
    found = [_described(i, i.tags[0] if i.tags else "(replaced)") for i in images]
    return sorted(found, key=lambda image: image.created, reverse=True)


def prune(engine: Engine, *, everything: bool = False) -> list[WorkerImage]:
    """Remove worker images that were replaced or are not current, or all of them."""
    removed = []
    for image in list_images(engine):
        if everything or image.name == "(replaced)" or not image.current:
            with engine_errors(f"removing image {image.name}"):
                engine.client.images.remove(image.id, force=True)
            removed.append(image)
    return removed


def packages(engine: Engine, image: WorkerImage, cache: Path) -> dict[str, str]:
    """Versions inside an image, asked once and kept by the image's digest.

    Raises
    ------
    UserError
        If Python does not run in the image.
    """
    kept = cache / "images" / f"{image.id.removeprefix('sha256:')}.json"
    try:
        return dict(json.loads(kept.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        pass
    names = {name: [name] for name in (*PACKAGES, *OPTIONAL) if name != LABEL}
    names["tensorflow"] = ["tensorflow", "tensorflow-cpu", "tensorflow-intel"]
    found = dict(json.loads(run_trusted(engine, image, Policy(), _VERSIONS % (names,))))
    try:
        from motifidelity.files import atomic_path

        with atomic_path(kept) as path:
            path.write_text(json.dumps(found), encoding="utf-8")
    except OSError as error:
        raise DataError(f"cache {kept.parent}: cannot be written ({error.strerror})") from error
    return found


def run_trusted(
    engine: Engine, image: WorkerImage, policy: Policy, program: str, **more: Any
) -> str:
    """Standard output of a Python program of our own in an image, under the sandbox policy.

    Raises
    ------
    UserError
        With the last line of what it said, if it fails.
    """
    with engine_errors(f"image {image.name}"):
        options = {**create_options(policy, "check"), **more}
        # a log is kept here, unlike for a phase: the program is ours and short
        options.pop("log_config")
        container = engine.client.containers.create(
            image.id, entrypoint=["python", "-c", program], **options
        )
        try:
            container.start()
            code = container.wait(timeout=300)["StatusCode"]
            output = container.logs(stdout=True, stderr=False).decode("utf-8", "replace")
            errors = container.logs(stdout=False, stderr=True).decode("utf-8", "replace")
        finally:
            container.remove(force=True, v=True)
    if code:
        last = (errors.strip() or output.strip() or f"exit status {code}").splitlines()[-1]
        raise UserError(f"image {image.name}: {last[:300]}")
    return output


def _described(image: Any, name: str) -> WorkerImage:
    marks = image.labels or {}
    accelerator = marks.get(_ACCELERATOR, "unknown")
    return WorkerImage(
        id=image.id,
        name=name,
        accelerator=accelerator,
        base=marks.get(_BASE, "unknown"),
        size=int(image.attrs.get("Size", 0)),
        created=str(image.attrs.get("Created", ""))[:19],
        current=accelerator in ACCELERATORS and marks.get(_LOCK) == recipe_digest(accelerator),
    )


def _packaged(name: str) -> bytes:
    return (resources.files("motifidelity.containers") / name).read_bytes()


def _context(accelerator: str, ca_bundle: Path | None) -> io.BytesIO:
    """Build context as a tar archive: equal inputs give equal bytes, so steps are cached."""
    lock = f"requirements-{accelerator}.lock"
    files = {name: _packaged(name) for name in ("Dockerfile", lock)}
    if ca_bundle is not None:
        try:
            files["ca-bundle.crt"] = ca_bundle.read_bytes()
        except OSError as error:
            raise UserError(f"--ca-bundle {ca_bundle}: {error.strerror}") from error
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    buffer.seek(0)
    return buffer


def _build_lines(events: Iterator[dict[str, Any]], last: list[str]) -> Iterator[str]:
    for event in events:
        if "error" in event:
            said = " | ".join(last[-2:])
            text = " ".join(str(event["error"]).split())[:300]
            raise EngineError(
                f"bench image build: {text}{f' ({said[:400]})' if said else ''}; a base image that "
                "cannot be fetched is replaced with --base, an index behind a proxy needs "
                "--ca-bundle"
            )
        for line in str(event.get("stream", "")).splitlines():
            if line.strip():
                last.append(line.strip())
                yield line.rstrip()
