"""Each value of a first layer's scan lies on the base that its filter's middle lies on.

True motifs stand as fixed kernels in the first layer. What a probe then says of the filters must be
what an independent scan in numpy gives, over the bases that each position of the network sees.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, ops
from scipy.stats import norm

from motifidelity.metrics.filters.filter_matches import corrected_rows
from motifidelity.metrics.localisation import score_localisation
from motifidelity.scoring.truth import Truth
from motifidelity.tasks.dataset import load_dataset
from motifidelity.tasks.spec import find_spec
from motifidelity.worker import contract
from motifidelity.worker.frozen.freeze import freeze
from motifidelity.worker.frozen.network import FrozenNetwork
from motifidelity.worker.probing.filters import write_predictions

pytestmark = [pytest.mark.backends, pytest.mark.slow]
CASES = Path(__file__).parent / "cases"
LENGTH, FILTERS, SEQUENCES = 200, 16, 300
SHAPE = (LENGTH, 4)
TASK = contract.Task("regulatory-code", SHAPE, 1, ("y",))
SETTINGS = {"window": 20, "half_max": 0.5, "top_sites": 200}
BACKEND = keras.backend.backend()


def everything():
    return np.ones((LENGTH, LENGTH), bool)


def bases(first, end):
    """Which base each position may see, where only a stretch is left of the sequence."""
    seen = np.zeros((LENGTH, LENGTH), bool)
    seen[:, first:end] = True
    return seen


def windows(width):
    block = np.arange(LENGTH) // width
    return block[:, None] == block


@dataclass(frozen=True)
class Case:
    """A way to build a first layer, and what its positions see.

    Attributes
    ----------
    build : callable or str
        Gives a model; or a file among the cases.
    placed : sequence of int
        Bases that a filter's middle lies on.
    sees : ndarray (length, length) bool
        Whether the position on a base sees another one.
    """

    build: Any
    placed: Any = range(LENGTH)
    sees: Any = field(default_factory=everything)
    width: int = 19
    dilation: int = 1
    strands: str = "+"
    activation: Any = lambda x: np.maximum(x, 0)
    match: float = 0.95
    backends: tuple[str, ...] = ("tensorflow", "jax", "torch")


def convolved(before=None, **options):
    """A model of one convolution behind something else."""

    def build():
        x = inputs = keras.Input(SHAPE)
        if before is not None:
            x = before(x)
        options_ = {"padding": "same", "activation": "relu"} | options
        x = layers.Conv1D(FILTERS, options_.pop("kernel_size", 19), **options_)(x)
        x = layers.GlobalMaxPooling1D()(x)
        return keras.Model(inputs, layers.Dense(1)(x))

    return build


def side_by_side():
    """The filters one by one, each with its activation, as ExplaiNN in a list has them."""
    inputs = keras.Input(SHAPE)
    each = [
        layers.GlobalMaxPooling1D()(layers.Conv1D(1, 19, padding="same", activation="relu")(inputs))
        for _ in range(FILTERS)
    ]
    return keras.Model(inputs, layers.Dense(1)(layers.Concatenate()(each)))


def in_groups():
    """A copy of the sequence for each of the filters, as ExplaiNN in groups has them."""
    inputs = keras.Input(SHAPE)
    x = layers.Concatenate()([inputs] * FILTERS)
    x = layers.Conv1D(FILTERS, 19, padding="same", groups=FILTERS)(x)
    x = layers.Activation("relu")(layers.BatchNormalization()(x))
    return keras.Model(inputs, layers.Dense(1)(layers.GlobalMaxPooling1D()(x)))


def both_strands():
    """One convolution that is called twice, on the sequence and on its reverse complement."""
    inputs = keras.Input(SHAPE)
    scan = layers.Conv1D(FILTERS, 19, padding="same", activation="relu")
    pooled = [layers.GlobalMaxPooling1D()(scan(x)) for x in (ops.flip(inputs, (1, 2)), inputs)]
    return keras.Model(inputs, layers.Dense(1)(layers.Maximum()(pooled)))


def middle_axis():
    """Conv2D over (length, 1, letters)."""
    x = inputs = keras.Input(SHAPE)
    x = layers.Reshape((LENGTH, 1, 4))(x)
    x = layers.Conv2D(FILTERS, (19, 1), padding="same", activation="relu")(x)
    return keras.Model(inputs, layers.Dense(1)(layers.GlobalMaxPooling2D()(x)))


def torch_module(padding, width):
    def build():
        import torch

        class Net(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.scan = torch.nn.Conv1d(4, FILTERS, width, padding=padding)
                self.out = torch.nn.Linear(FILTERS, 1)

            def forward(self, x):
                return self.out(torch.relu(self.scan(x.transpose(1, 2))).amax(dim=2))

        from motifidelity.worker.frozen.backends.module import ModuleModel

        return ModuleModel(Net())

    return build


def reverse_complement(x):
    return ops.flip(x, (1, 2))


def gelu(x):
    return x * norm.cdf(x)


NARROW = {"width": 20, "backends": ("torch",)}
TABLE = {
    "same": Case(convolved()),
    "valid": Case(convolved(padding="valid"), range(9, 191)),
    "causal": Case("causal.py", range(191)),
    "cropped": Case("crop_first.py", range(40, 200), bases(40, 200)),
    "sliced": Case(convolved(lambda x: x[:, :160]), range(160), bases(0, 160)),
    "padded": Case("pad_full.py"),
    "strided": Case(convolved(padding="valid", strides=2), range(9, 191, 2)),
    # every second column of a motif is left
    "dilated": Case("dilated_first.py", width=9, dilation=2, match=0.85),
    "reversed": Case(convolved(reverse_complement), strands="-"),
    "reversed even": Case(convolved(reverse_complement, kernel_size=20, padding="valid"),
                          range(10, 191), width=20, strands="-"),
    "both strands": Case(both_strands, strands="+-"),
    "both strands in a batch": Case("rc_cat.py", strands="+-", backends=("torch",)),
    "windows": Case("timedistributed.py", sees=windows(20)),
    "windows in a batch": Case("windows_in_batch.py", sees=windows(20)),
    "conv2d": Case("conv2d_basset.py", range(9, 191)),
    "conv2d middle axis": Case(middle_axis),
    "grouped later": Case("grouped.py"),
    "compiled": Case("jit.py", activation=gelu, backends=("tensorflow",)),
    "side by side": Case(side_by_side),
    "in groups": Case(in_groups),
    "torch even": Case("even_kernel.py", **NARROW),
    "torch full": Case(torch_module(18, 19), backends=("torch",)),
}  # fmt: skip


@pytest.fixture(scope="module")
def truth():
    spec = find_spec("regulatory-code")
    return Truth(load_dataset(spec), spec.profile("quick"))


@pytest.fixture(scope="module")
def motifs(truth):
    """Kernels' matrices (width, 4): log-odds of the true motifs on both strands, in turn."""
    forward = [np.log2(motif.ppm.T.astype(float) + 0.01) + 2 for motif in truth.true_motifs]
    both = [matrix for m in forward for matrix in (m, m[::-1, ::-1])]
    return [both[i % len(both)] for i in range(FILTERS)]


def kernels_of(motifs, width, dilation):
    """Kernels (filters, width, 4) with the motifs' middles in the middle."""
    span = (width - 1) * dilation + 1
    kernels = np.zeros((FILTERS, span, 4), np.float32)
    for kernel, matrix in zip(kernels, motifs, strict=True):
        begin = span // 2 - len(matrix) // 2
        kernel[begin : begin + len(matrix)] = matrix
    return kernels[:, ::dilation]


def with_kernels(model, kernels):
    """Give the kernels to the first layer, whatever it is of, and no bias."""
    submitted = contract.own_network(model)
    if submitted is not model:
        import torch

        with torch.no_grad():
            submitted.scan.weight.copy_(torch.tensor(kernels.transpose(0, 2, 1).copy()))
            submitted.scan.bias.zero_()
        return
    inner = [getattr(layer, "layer", layer) for layer in model.layers]
    first = [layer for layer in inner if isinstance(layer, (layers.Conv1D, layers.Conv2D))]
    taken = 0
    for layer in first:
        if taken == FILTERS:
            return
        shape = layer.kernel.shape
        values = kernels[taken : taken + layer.filters].transpose(1, 2, 0).reshape(shape)
        layer.set_weights([values, np.zeros(layer.filters)])
        taken += layer.filters


def built(case):
    if callable(case.build):
        return case.build()
    module = contract.load_submission(CASES / case.build)
    return contract.build(module, case.build, TASK, {})


def probed(model, codes, folder, report):
    freeze(model, SHAPE, "model.py").write(folder)
    network = FrozenNetwork(folder / "graph.pb", folder / "network.json")
    write_predictions(network, codes, SETTINGS, folder, report)
    return network, {p.stem: np.load(p, allow_pickle=False) for p in folder.glob("*.npy")}


def scanned(one_hot, kernels, case):
    """Highest value (n, length) of any kernel at each placed base, elsewhere the lowest."""
    reach = kernels.shape[1] // 2
    value = np.zeros((*one_hot.shape[:2], FILTERS))
    for column in range(kernels.shape[1]):
        offset = (column - reach) * case.dilation
        for base in range(max(-offset, 0), min(LENGTH, LENGTH - offset)):
            if case.sees[base, base + offset]:
                value[:, base] += one_hot[:, base + offset] @ kernels[:, column].T
    return case.activation(value).max(axis=2)


def reference(codes, kernels, case):
    one_hot = np.eye(4)[codes]
    scans = []
    if "+" in case.strands:
        scans.append(scanned(one_hot, kernels, case))
    if "-" in case.strands:
        # the other strand's kernel, its middle where the turned one has it
        scans.append(scanned(one_hot, kernels[:, ::-1, ::-1], case))
    scan = np.max(scans, axis=0)
    placed = np.isin(np.arange(LENGTH), list(case.placed))
    scan[:, ~placed] = scan[:, placed].min(axis=1, keepdims=True)
    return scan


def localisation(scan, truth):
    rows = truth.positive[: len(scan)]
    found = score_localisation(
        scan, truth.test.truth[rows], truth.bases.chance[rows], buffer=truth.spec.scoring.buffer
    )
    return {score.metric: score.value for score in found}


def match_fraction(sites, codes, truth):
    columns = truth.database.columns(truth.spec.accepted["corrected"])
    rows, _ = corrected_rows(codes, sites[:, :100], truth.database, columns)
    return np.mean([row.true_tf is not None for row in rows])


@pytest.mark.parametrize("name", [n for n, case in TABLE.items() if BACKEND in case.backends])
def test_true_motifs_as_kernels_are_found_where_they_are(name, truth, motifs, tmp_path, report):
    case = TABLE[name]
    keras.utils.set_random_seed(1)
    model = built(case)
    kernels = kernels_of(motifs, case.width, case.dilation)
    with_kernels(model, kernels)
    codes = truth.test.sequences[truth.positive[:SEQUENCES]]
    network, arrays = probed(model, codes, tmp_path, report)
    assert network.manifest.scan.filters == FILTERS
    assert network.manifest.notes == ()
    expected = reference(codes, kernels, case)
    found = localisation(arrays["scan_max"], truth)
    for metric, value in localisation(expected, truth).items():
        assert found[metric] == pytest.approx(value, abs=0.01), metric
    np.testing.assert_allclose(arrays["scan_max"], expected, rtol=1e-3, atol=2e-3)
    assert match_fraction(arrays["top_sites"], codes, truth) >= case.match
