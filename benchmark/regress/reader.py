"""Reads networks in a process of its own: ``python -m motifidelity.regress.reader REQUEST OUT``.

The host never imports TensorFlow. The networks are committed ones, and what model files build: the
suite's own, or those of the repository whose tests this is. A stranger's file never comes here.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from dataclasses import asdict, dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from motifidelity.regress.fingerprint import Observed, fingerprint, fixed_sequences
from motifidelity.regress.last_bits import move_results

Found = dict[str, Observed]
# what says nothing of a network's arithmetic, and differs between versions of TensorFlow
_SILENT = frozenset({"Const", "Identity", "IdentityN", "NoOp", "Placeholder"})


@dataclass(frozen=True)
class Reading:
    """How networks are read: on how many sequences, how many at a time, moved by how many units."""

    sequences: int
    batch: int
    units: int

    def open(self, graph: Path, manifest: Path) -> Any:
        """The frozen network, its results moved."""
        from motifidelity.worker.frozen.network import FrozenNetwork

        edit = partial(move_results, units=self.units) if self.units else None
        return FrozenNetwork(graph, manifest, edit=edit)


def main(arguments: list[str]) -> int:
    """Read every network of the request; a failure of one is an observation of it alone."""
    request_file, out = (Path(argument) for argument in arguments)
    request = json.loads(request_file.read_text(encoding="utf-8"))
    reading = Reading(request["sequences"], request["batch"], request["units"])
    found: dict[str, dict[str, Found]] = {"activations": {}, "networks": {}, "first-layer": {}}
    for item in request["committed"]:
        found["activations"][item["subject"]] = _guarded(_committed, item, reading)
    for item in request["built"]:
        observed = _guarded(_built, item, reading)
        network = {n: v for n, v in observed.items() if n.startswith("network ") or n == "error"}
        found["networks"][item["subject"]] = {
            name.removeprefix("network "): value for name, value in network.items()
        }
        if "error" not in observed:
            found["first-layer"][item["subject"]] = {
                name: value for name, value in observed.items() if name not in network
            }
    plain = {
        kind: {s: {n: asdict(v) for n, v in values.items()} for s, values in subjects.items()}
        for kind, subjects in found.items()
    }
    out.write_text(json.dumps(plain), encoding="utf-8")
    return 0


def _guarded(read: Any, item: dict[str, Any], reading: Reading) -> Found:
    try:
        found: Found = read(item, reading)
        return found
    except Exception as error:
        return {"error": Observed(f"{type(error).__name__}: {' '.join(str(error).split())[:300]}")}


def _committed(item: dict[str, Any], reading: Reading) -> Found:
    """Fingerprints of a committed network: first layer before and after, and logits."""
    network = reading.open(Path(item["graph"]), Path(item["network"]))
    return _layers(network, reading, logits=True)


def _built(item: dict[str, Any], reading: Reading) -> Found:
    """What a baseline's file builds, which first layer is picked, and its fingerprints.

    Untrained, from a fixed seed, frozen as the fit phase freezes it.
    """
    import keras

    from motifidelity.worker import contract
    from motifidelity.worker.frozen.freeze import GRAPH, MANIFEST, freeze

    keras.utils.set_random_seed(item["seed"])
    path = Path(item["path"])
    given = item["task"]
    task = contract.Task(
        given["name"], tuple(given["input_shape"]), given["num_outputs"], tuple(given["classes"])
    )
    module = contract.load_submission(path)
    model = contract.build(module, path.name, task, item["params"])
    layer = contract.named_motif_layer(module, path.name, model)
    frozen = freeze(model, task.input_shape, path.name, layer)
    kinds = {node.name: node.op for node in frozen.graph_def.node}
    counts = Counter(op for op in kinds.values() if op not in _SILENT)
    found: Found = {
        "network operations": Observed(", ".join(f"{n} {op}" for op, n in sorted(counts.items()))),
        "network weights": Observed(str(int(model.count_params()))),
        "network trailing sigmoid": Observed(str(frozen.manifest.has_sigmoid).lower()),
    }
    scan = frozen.manifest.scan
    if scan is None:
        return {**found, "pick": Observed("none")}
    found["filters"] = Observed(str(scan.filters))
    found["positions"] = Observed(_spans(scan.bases.tolist()))
    for side in ("before", "after"):
        name = getattr(scan.parts[0], side).partition(":")[0]
        found[f"{side} is of operation"] = Observed(kinds.get(name, "?"))
    with tempfile.TemporaryDirectory(prefix="motifidelity-") as folder:
        frozen.write(Path(folder))
        network = reading.open(Path(folder) / GRAPH, Path(folder) / MANIFEST)
        return {**found, **_layers(network, reading, logits=False)}


def _spans(bases: list[int]) -> str:
    """Bases in words, such as ``200 from 0 by 1``."""
    steps = sorted({b - a for a, b in pairwise(bases)})
    return f"{len(bases)} from {bases[0]} by {' or '.join(map(str, steps))}"


def _layers(network: Any, reading: Reading, *, logits: bool) -> Found:
    import numpy as np

    from motifidelity.worker.contract import one_hot

    codes = fixed_sequences(reading.sequences, network.shape[0])
    starts = range(0, reading.sequences, reading.batch)
    parts = [one_hot(codes[i : i + reading.batch]) for i in starts]
    found: Found = {}
    if network.manifest.scan is not None:
        pairs = [network.scan(part)[:2] for part in parts]
        for place, side in enumerate(("before", "after")):
            found |= fingerprint(np.concatenate([pair[place] for pair in pairs]), side)
    if logits:
        values = np.concatenate([network.logits(part) for part in parts])
        found |= fingerprint(values, "logits")
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
