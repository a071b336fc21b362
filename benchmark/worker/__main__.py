"""One phase of a job: ``python -m motifidelity.worker fit|probe REQUEST.json``.

The request names its input files, the output folder and the settings; results are arrays in numpy's
plain format and small JSON files. Exit status: 0 done, 3 the submission failed, 4 the worker did.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from .arrays import ASKED, EXTRA, UNTRAINED
from .limits import KEPT, MAX_REASON
from .report import (
    Reporter,
    SubmissionError,
    blames_submission,
    line_in,
    out_of_memory,
    said,
    write_error,
)

EXIT_SUBMISSION = 3
EXIT_WORKER = 4
# said before a submission's first line runs: what goes wrong later is not the machine's fault
BEGINS = "motifidelity: the submission begins"
NEEDS_GPU = "MOTIFIDELITY_NEEDS_GPU"


def fit(request: dict[str, Any], out: Path, report: Reporter) -> None:
    """Build, train and freeze a submission's network, or those of a pack of trials."""
    import keras
    import numpy as np

    from . import contract
    from .frozen.freeze import freeze
    from .training.own import keras_training, own_methods

    path = Path(request["inputs"]["model"])
    task = contract.Task(
        name=request["task"]["name"],
        input_shape=tuple(request["task"]["input_shape"]),
        num_outputs=request["task"]["num_outputs"],
        classes=tuple(request["task"]["classes"]),
        target=request["task"].get("target", contract.CLASSES),
    )
    _require_gpu()
    if keras.backend.backend() != "tensorflow":
        _leave_gpu_to_the_backend()
    given = request["inputs"].get("weights")
    data = None if given else _training_data(request)
    # of a network that this process alone trains, from its beginning
    beginning = not given and "trials" not in request and "kept" not in request["inputs"]
    known = keras_training()
    print(BEGINS, flush=True)
    trials = request.get("trials") or [{"seed": request["seed"], "params": request["params"]}]
    built, module = [], None
    for trial in trials:
        keras.utils.set_random_seed(trial["seed"])
        report.step = "import"
        module = contract.load_submission(path)
        report.step = "own_fit"
        contract.check_training(module, path.name, own_fit=request["own_fit"])
        report.step = "build"
        model = contract.build(module, path.name, task, trial["params"])
        report.step = "motif_layer"
        motif_layer = contract.named_motif_layer(module, path.name, model)
        report.step = "freeze"
        # frozen once before training too: a network that cannot be probed is refused at once
        with blames_submission(path, "when the network is frozen"):
            untrained = freeze(model, task.input_shape, path.name, motif_layer)
        # of its size and its outputs, and no longer of its operations
        report.step = "build"
        contract.check_frozen(untrained, path.name, task)
        if beginning and request.get(UNTRAINED):
            untrained.write(out, f"{UNTRAINED}.")
        from_logits = not untrained.manifest.has_sigmoid
        # Keras draws the order of sequences from this state
        built.append((model, motif_layer, from_logits, np.random.get_state()))  # noqa: NPY002
    report.step = "train"
    started = time.perf_counter()
    trained: list[tuple[Any, Any, dict[str, Any] | None, int]]
    if given:
        from .training.given import take_weights

        take_weights(built[0][0], Path(given), path.name)
        trained = [(*built[0][:2], {"history": []}, 1)]
    elif request["own_fit"]:
        report("start", epochs=request["recipe"]["max_epochs"])
        trained = [_fit_by_itself(built[0], module, data, path.name, task)]
    else:
        report("start", epochs=request["recipe"]["max_epochs"])
        own = list(dict.fromkeys(n for model, *_ in built for n in own_methods(model, known)))
        with blames_submission(path, "in training"):
            histories = (
                _fit_pack(built, data, request["recipe"], path.name, own, report)
                if "trials" in request
                else [(_fit_alone(built[0], data, request, own, out, report), 1)]
            )
        brought = {"own_training": own}
        trained = [
            (model, motif_layer, None if history is None else {"history": history, **brought}, n)
            for (model, motif_layer, *_), (history, n) in zip(built, histories, strict=True)
        ]
    seconds = (time.perf_counter() - started) / len(built)
    for number, (model, motif_layer, notes, together) in enumerate(trained):
        if notes is None:
            continue
        prefix = f"{number}." if "trials" in request else ""
        with blames_submission(path, "when the trained network is frozen"):
            frozen = freeze(model, task.input_shape, path.name, motif_layer)
        contract.check_frozen(frozen, path.name, task)
        frozen.write(out, prefix)
        summary = {
            **notes,
            "num_weights": int(model.count_params()),
            "seconds": seconds,
            "together": together,
        }
        (out / f"{prefix}history.json").write_text(json.dumps(summary), encoding="utf-8")
    # the host has its copy until the job has ended
    (out / KEPT).unlink(missing_ok=True)


def _training_data(request: dict[str, Any]) -> Any:
    """Sequences and labels of training and validation, as a submission's ``fit`` gets them."""
    import numpy as np

    from . import contract

    arrays = {
        name: np.load(request["inputs"][name], allow_pickle=False)
        for name in ("x_train", "y_train", "x_valid", "y_valid")
    }
    return contract.TrainingData(
        contract.one_hot(arrays["x_train"]),
        arrays["y_train"].astype(np.float32),
        contract.one_hot(arrays["x_valid"]),
        arrays["y_valid"].astype(np.float32),
        request["seed"],
        request["task"].get("target", contract.CLASSES),
    )


def _fit_alone(
    built: tuple[Any, ...],
    data: Any,
    request: dict[str, Any],
    own: list[str],
    out: Path,
    report: Any,
) -> list[dict[str, float]]:
    """Train one network by the recipe, from where it was stopped if it was."""
    from .training.kept import Keep, hidden_draws
    from .training.recipe import train

    model, _, from_logits, _ = built
    source, keep = Path(request["inputs"]["model"]), None
    if of := request.get("keep"):
        if own:
            report("unkept", reason=f"its class brings its own {own[0]}")
        elif reason := hidden_draws(model, tuple(request["task"]["input_shape"]), source):
            report("unkept", reason=reason)
        else:
            before = request["inputs"].get("kept")
            keep = Keep(out / KEPT, of, Path(before) if before else None)
    return train(
        model,
        data,
        request["recipe"],
        from_logits=from_logits,
        source=source.name,
        report=report,
        keep=keep,
    )


def _fit_by_itself(
    built: tuple[Any, ...], module: Any, data: Any, source: str, task: Any
) -> tuple[Any, Any, dict[str, Any] | None, int]:
    """Train one network by the submission's own training; what it returned may be another one."""
    import numpy as np

    from . import contract

    model, motif_layer, *_ = built
    before = [np.array(values) for values in model.get_weights()]
    trained = contract.own_training(module, source, model, data, task)
    if trained is not model:
        motif_layer = contract.named_motif_layer(module, source, trained)
    unchanged = trained is model and all(
        np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True)
    )
    return trained, motif_layer, {"history": [], "unchanged": unchanged}, 1


def _fit_pack(
    built: list[tuple[Any, ...]],
    data: Any,
    recipe: dict[str, Any],
    source: str,
    own: list[str],
    report: Any,
) -> list[tuple[list[dict[str, float]] | None, int]]:
    """Train the networks of a pack; None for one whose training failed. How many were together."""
    from .training.pack import PackedTrial, train_pack

    if own:
        raise SubmissionError(
            f"{source}: its class brings its own {own[0]}, and a pack trains all its trials in one "
            "step of Keras's own; run it without --pack"
        )
    trials = [PackedTrial(model, from_logits, draws) for model, _, from_logits, draws in built]
    train_pack(trials, data, recipe, source, report)
    return [(None if trial.problem else trial.history, trial.together) for trial in trials]


def probe(request: dict[str, Any], out: Path, report: Reporter) -> None:
    """Read predictions, filter scans and attribution maps off a frozen network."""
    import numpy as np
    import tensorflow as tf

    from .contract import one_hot
    from .probing.answers import write_curves
    from .probing.asked_logits import write_asked_logits
    from .probing.attribution import write_extra_maps, write_maps
    from .probing.filters import write_untrained_sites
    from .probing.path_integrals import write_path_integrals
    from .probing.randomise import write_randomised
    from .probing.scan_alone import write_scan_logits

    inputs = request["inputs"]
    if tf.test.is_built_with_cuda():
        # beside another backend TensorFlow has no CUDA: there the probe is the processor's
        _require_gpu()
    files = (Path(inputs["graph"]), Path(inputs["network"]))
    network = _frozen(*files)
    sequences = np.load(inputs["sequences"], allow_pickle=False)
    unsupported = _write_predictions(network, sequences, request["scan"], out, report)
    codes = np.load(inputs["explained"], allow_pickle=False)
    explained = one_hot(codes)
    np.save(out / "explained_logits.npy", network.logits(explained), allow_pickle=False)
    methods = request["methods"]
    maps = write_maps(network, explained, methods, out, report, unsupported)
    tested = request["tested"]
    write_curves(network, codes[:tested], maps, request["curves"], out, report)
    again = {name: methods[name] for name in request["randomised"] if name in maps}
    hypothetical = request.get("randomised_hypothetical", ())
    write_randomised(*files, explained[:tested], again, out, report, hypothetical)
    if paths := request.get("paths"):
        write_path_integrals(network, explained[: paths["sequences"]], paths, out, report)
    if ASKED in inputs:
        asked = np.load(inputs[ASKED], allow_pickle=False)
        write_asked_logits(network, asked, out, report)
    if EXTRA in inputs:
        more = one_hot(np.load(inputs[EXTRA], allow_pickle=False))
        chosen = {name: methods[name] for name in request[EXTRA] if name in maps}
        write_extra_maps(network, more, chosen, out, report)
    if request.get("scan_alone"):
        write_scan_logits(network, sequences, out, report)
    if f"{UNTRAINED}_graph" in inputs:
        before = [Path(inputs[f"{UNTRAINED}_{name}"]) for name in ("graph", "network")]
        write_untrained_sites(_frozen(*before), sequences, request["scan"], out, report)


def _frozen(graph: Path, manifest: Path) -> Any:
    """A frozen network; a file that is none is the submission's."""
    from .frozen.network import FrozenNetwork

    try:
        return FrozenNetwork(graph, manifest)
    except SubmissionError:
        raise
    except Exception as error:
        raise SubmissionError(
            f"the frozen network cannot be read: {type(error).__name__}: "
            f"{' '.join(str(error).split())[:300]}"
        ) from error


def _write_predictions(
    network: Any, sequences: Any, settings: dict[str, Any], out: Path, report: Reporter
) -> dict[str, str]:
    """Logits and filter scan; where the scan fails the logits alone. What was not read, and why."""
    from dataclasses import replace

    import numpy as np

    from .probing.filters import write_predictions

    try:
        write_predictions(network, sequences, settings, out, report)
        largest = out / "filter_max.npy"
        if not largest.exists() or np.isfinite(np.load(largest, allow_pickle=False)).all():
            reason = "; ".join(network.manifest.notes)[:MAX_REASON]
            if reason:
                report("unsupported", name="filters", reason=reason)
            return {"filters": reason} if reason else {}
        reason = "its values are NaN or infinite"
    except Exception as error:
        if network.manifest.scan is None or out_of_memory(error):
            raise
        reason = f"{type(error).__name__}: {said(error)}"[:MAX_REASON]
    for name in ("filter_max", "scan_max", "top_sites", "above_half_max"):
        (out / f"{name}.npy").unlink(missing_ok=True)
    network.manifest = replace(network.manifest, scan=None)
    write_predictions(network, sequences, settings, out, report)
    report("unsupported", name="filters", reason=reason)
    return {"filters": reason}


PHASES = {"fit": fit, "probe": probe}


def main(arguments: list[str]) -> int:
    """Run one phase."""
    phase, request_file = arguments
    request = json.loads(Path(request_file).read_text(encoding="utf-8"))
    out = Path(request["out"])
    source = Path(request["inputs"].get("model", "network"))
    # before Keras is imported; whatever the network was trained with, its graph is TensorFlow's
    os.environ["KERAS_BACKEND"] = request.get("backend", "tensorflow")
    report = Reporter(out)
    try:
        PHASES[phase](request, out, report)
    except Exception as error:
        if full := out_of_memory(error):
            write_error(out, "oom", full, source, report.step)
            return EXIT_SUBMISSION
        if isinstance(error, SubmissionError):
            write_error(out, "model_error", error, source, report.step)
            return EXIT_SUBMISSION
        # in the fit phase whatever the submission's own code lets through is its error, in the
        # probe phase what its network's operations refuse to do
        by_network = type(error).__module__.startswith("tensorflow.python.framework.errors")
        ours = not by_network if phase != "fit" else not _passed_through(error, source)
        write_error(out, "infra_error" if ours else "model_error", error, source, report.step)
        return EXIT_WORKER if ours else EXIT_SUBMISSION
    return 0


def _require_gpu() -> None:
    """Refuse to go on without the GPU that was asked for: a CPU run is never silent."""
    if os.environ.get(NEEDS_GPU):
        import keras

        from .frozen.backends import NAMES, current

        if not current().has_gpu():
            name = NAMES[keras.backend.backend()]
            raise RuntimeError(f"a GPU was asked for, but {name} sees none")


def _leave_gpu_to_the_backend() -> None:
    """Keep TensorFlow, which only freezes here, off the memory of the GPUs."""
    import tensorflow as tf

    tf.config.set_visible_devices([], "GPU")


def _passed_through(error: BaseException, source: Path) -> bool:
    """Whether the submission's own frames are in the traceback, or its file would not compile."""
    if isinstance(error, SyntaxError):
        return True
    return line_in(error, source) is not None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
