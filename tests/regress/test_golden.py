"""The record: fingerprints, measured tolerances, and a file that survives any name."""

from __future__ import annotations

import hashlib
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from motifidelity.errors import DataError
from motifidelity.regress.fingerprint import Observed, fingerprint, fixed_sequences
from motifidelity.regress.golden import (
    FILE,
    FLOOR,
    Golden,
    Recorded,
    measure,
    read_golden,
    write_golden,
)

KEY = ("activations", "network", "after mean")


def test_moments_are_numpy_s_and_scipy_s():
    values = np.random.default_rng(0).gamma(2, size=(5, 7, 3)).astype(np.float32)
    found = {name: o.value for name, o in fingerprint(values, "after").items()}
    wide = values.astype(float)
    assert found["after shape"] == "5x7x3"
    assert found["after mean"] == pytest.approx(wide.mean())
    assert found["after sd"] == pytest.approx(wide.std())
    assert found["after skew"] == pytest.approx(stats.skew(wide, axis=None))
    assert (found["after min"], found["after max"]) == (wide.min(), wide.max())


def test_exact_values_are_at_the_places_that_their_names_say():
    values = np.arange(64 * 200 * 32, dtype=float).reshape(64, 200, 32)
    exact = {n: o.value for n, o in fingerprint(values).items() if n.startswith("[")}
    assert len(exact) == 4
    for name, value in exact.items():
        assert values[tuple(map(int, name.strip("[]").split(",")))] == value
    # spread over filters too
    assert len({name.split(",")[2] for name in exact}) > 2


def test_constant_empty_and_infinite_arrays_have_a_fingerprint():
    assert fingerprint(np.ones(9))["skew"].value == 0.0
    assert list(fingerprint(np.zeros((0, 3)))) == ["shape"]
    assert math.isinf(float(fingerprint(np.array([1.0, np.inf]))["max"].value))


def test_fixed_sequences_hold_the_low_bits_of_shake_256():
    found = fixed_sequences(3, 50)
    stream = hashlib.shake_256(b"motifidelity 3 x 50").digest(150)
    assert found.ravel().tolist() == [byte % 4 for byte in stream]
    assert found.shape == (3, 50)


def test_a_tolerance_is_ten_times_the_range_over_repeated_runs():
    runs = [{KEY: Observed(value, 2.0)} for value in (0.5, 0.501, 0.499)]
    record = measure(runs)[KEY]
    assert record.value == 0.5
    assert record.tolerance == pytest.approx(0.02)
    assert record.spread == pytest.approx(0.002)


def test_without_any_range_it_is_a_small_share_of_the_scale():
    record = measure([{KEY: Observed(0.5, 2.0)}] * 3)[KEY]
    assert record.tolerance == pytest.approx(2.0 * FLOOR)
    assert record.spread == 0.0


def test_what_is_tolerated_at_least_can_be_a_number_of_steps():
    assert measure([{KEY: Observed(4.0, 1.0)}] * 3, floor=2.0)[KEY].tolerance == 2.0


def test_text_that_differs_between_runs_cannot_be_recorded():
    with pytest.raises(DataError, match="differs between repeated runs"):
        measure([{KEY: Observed("a")}, {KEY: Observed("b")}])


def test_what_is_not_in_every_run_is_left_out():
    assert measure([{KEY: Observed(1.0)}, {}]) == {}


names = st.text(min_size=1, max_size=12)
numbers = st.floats(allow_nan=False)
values = st.one_of(
    st.builds(Recorded, st.text(max_size=12)),
    st.builds(Recorded, numbers, st.floats(0, 1e300), st.floats(0, 1e300)),
)


@given(st.dictionaries(st.tuples(names, names, names), values), st.dictionaries(names, names))
def test_any_record_comes_back_as_it_was_written(tmp_path_factory, records, measured):
    folder = tmp_path_factory.mktemp("golden")
    golden = Golden(records, measured)
    write_golden(folder, golden)
    assert read_golden(folder) == golden


def test_undefined_values_come_back_too(tmp_path):
    write_golden(tmp_path, Golden({KEY: Recorded(math.nan, 0.0, 0.0)}, {}))
    assert math.isnan(float(read_golden(tmp_path).records[KEY].value))


def test_a_change_of_one_value_is_a_change_of_one_line(tmp_path):
    records = {("k", f"s{i}", f"n{j}"): Recorded(1.0) for i in range(3) for j in range(3)}
    before = write_golden(tmp_path, Golden(records, {})).read_text().splitlines()
    after = write_golden(tmp_path, Golden({**records, ("k", "s1", "n1"): Recorded(2.0)}, {}))
    changed = set(after.read_text().splitlines()) - set(before)
    assert changed == {'"n1" = [2.0, 0.0, 0.0]'}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "no such file; 'bench regress update --reason"),
        ("version = ", "damaged"),
        ("version = 1\n[measured]\n[record.a.b]\nc = 3\n", "damaged"),
        ("version = 1\n[measured]\n[record.a.b]\nc = [1, 2]\n", "damaged"),
        ("version = 1\n", "damaged"),
        ("version = 99\n", "written by a newer version; upgrade"),
        (b"\xff\xfe", "damaged"),
    ],
)
def test_a_missing_damaged_or_newer_record_is_one_line(tmp_path, text, message):
    if text is not None:
        content = text if isinstance(text, bytes) else text.encode()
        (tmp_path / FILE).write_bytes(content)
    with pytest.raises(DataError) as error:
        read_golden(tmp_path)
    assert message in str(error.value)
    assert FILE in str(error.value)
    assert "\n" not in str(error.value)
