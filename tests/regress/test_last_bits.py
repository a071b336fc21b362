"""Moved results: every operation that rounds, by one unit in the last place, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from motifidelity.regress.last_bits import ULP, move_results

X = np.array([0.3, 1.0, 2.5], np.float32)


def moved(function, units):
    """What a graph of a function gives once its results are moved."""
    traced = tf.function(function).get_concrete_function(tf.TensorSpec([3], tf.float32))
    graph = traced.graph.as_graph_def()
    move_results(graph, units)
    wrapped = tf.compat.v1.wrap_function(
        lambda: tf.graph_util.import_graph_def(graph, name=""), []
    ).graph
    source, target = traced.inputs[0].name, traced.outputs[0].name
    with tf.compat.v1.Session(graph=wrapped) as session:
        return session.run(target, {source: X})


@pytest.mark.parametrize("units", [1, -1, 4])
def test_a_result_moves_by_units_in_the_last_place(units):
    expected = np.exp(X.astype(np.float64)) * (1 + units * ULP)
    np.testing.assert_allclose(moved(tf.exp, units), expected, rtol=1.5 * ULP)
    assert (moved(tf.exp, units) != moved(tf.exp, 0)).all()


def test_what_is_exact_stays():
    np.testing.assert_array_equal(moved(lambda x: tf.nn.relu(x) + 2.0, 1), X + 2)


def test_nearly_equal_numbers_show_it():
    def shifted(x):
        return 500 * tf.tanh(x - 9) + 500

    exact = 500 * np.tanh(X.astype(np.float64) - 9) + 500
    off = np.abs(moved(shifted, 1) - moved(shifted, 0))
    # a unit of the hyperbolic tangent, five hundred times, where little else is left
    assert (off > 100 * ULP * exact).all()
    assert (off <= 3 * 500 * ULP).all()
