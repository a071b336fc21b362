"""In-silico mutagenesis against the network's raw forward throughput, side by side."""

from __future__ import annotations

import time

import keras
import numpy as np

from motifidelity.models.cnn_dist import build_model
from motifidelity.worker.attribution import MUTANTS_PER_CALL, in_silico_mutagenesis
from motifidelity.worker.contract import Task
from motifidelity.worker.freeze import freeze
from motifidelity.worker.network import FrozenNetwork

LENGTH, SEQUENCES = 200, 24


def test_mutagenesis_runs_near_the_speed_of_the_bare_network(tmp_path, benchmark):
    keras.utils.set_random_seed(0)
    model = build_model(Task("regulatory-code", (LENGTH, 4), 1, ()))
    freeze(model, (LENGTH, 4), "cnn_dist.py").write(tmp_path)
    network = FrozenNetwork(tmp_path / "graph.pb", tmp_path / "network.json")
    rng = np.random.default_rng(0)
    one_hot = np.eye(4, dtype=np.float32)[rng.integers(0, 4, (SEQUENCES, LENGTH))]
    batch = np.resize(one_hot, (MUTANTS_PER_CALL, LENGTH, 4))
    calls = SEQUENCES * 3 * LENGTH // MUTANTS_PER_CALL

    def forward():
        for _ in range(calls):
            network.logits(batch)

    def mutate():
        in_silico_mutagenesis(network, one_hot, {}, lambda *_, **__: None)

    times = {forward: [], mutate: []}

    def side_by_side():
        for function, seconds in times.items():
            started = time.perf_counter()
            function()
            seconds.append(time.perf_counter() - started)

    side_by_side()
    benchmark.pedantic(side_by_side, rounds=6, iterations=1)
    # each at its best: what else the machine does only ever adds
    ratio = min(times[mutate]) / min(times[forward])
    benchmark.extra_info["ratio"] = ratio
    # the rest is building the mutants
    assert ratio <= 1.10
