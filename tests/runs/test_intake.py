"""What a worker leaves is taken only when it is exactly what the contract says."""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from motifidelity.runs.intake import InvalidOutput, take_fit, take_probe
from motifidelity.runs.recording import unsupported_warnings
from motifidelity.scoring.explanations import Explanations

TESTS, EXPLAINED, LENGTH, CLASSES, SITES, FILTERS = 4, 2, 30, 3, 5, 10
ASKED = Explanations(
    methods=("saliency", "ism", "deepshap"),
    complete=("deepshap",),
    hypothetical=("deepshap",),
    curves=("saliency",),
    randomised=("saliency", "deepshap"),
    tested=1,
    counts=6,
    perturbations=7,
)
SHAPES = {
    "logits": ("<f4", (TESTS, CLASSES)),
    "explained_logits": ("<f4", (EXPLAINED, CLASSES)),
    "saliency": ("<f4", (EXPLAINED, LENGTH, 4, CLASSES)),
    "ism": ("<f4", (EXPLAINED, LENGTH, 4, CLASSES)),
    "deepshap": ("<f4", (EXPLAINED, LENGTH, 4, CLASSES)),
    "deepshap_completeness": ("<f4", (EXPLAINED, CLASSES)),
    "deepshap_hypothetical": ("<f4", (EXPLAINED, LENGTH, 4, CLASSES)),
    "deepshap_randomised": ("<f4", (1, LENGTH, 4, CLASSES)),
    "saliency_randomised": ("<f4", (1, LENGTH, 4, CLASSES)),
    "saliency_deletion": ("<f4", (1, CLASSES, 6)),
    "saliency_insertion": ("<f4", (1, CLASSES, 6)),
    "changes": ("<f4", (1, 7, CLASSES)),
    "perturbed": ("|u1", (1, 7, LENGTH)),
    "filter_max": ("<f4", (FILTERS,)),
    "scan_max": ("<f4", (TESTS, LENGTH)),
    "top_sites": ("<i4", (FILTERS, SITES, 2)),
    "above_half_max": ("|u1", (TESTS, LENGTH, 2)),
}
SCAN = ("filter_max", "scan_max", "top_sites", "above_half_max")
WITHOUT_SCAN = [name for name in SHAPES if name not in SCAN]
FLOATS = [name for name, (dtype, _) in SHAPES.items() if dtype == "<f4"]


def good_arrays():
    rng = np.random.default_rng(0)
    arrays = {
        name: rng.normal(size=shape).astype(dtype)
        for name, (dtype, shape) in SHAPES.items()
        if dtype == "<f4"
    }
    sites = np.stack([rng.integers(0, TESTS, 50), rng.integers(11, LENGTH - 10, 50)], axis=1)
    arrays["top_sites"] = sites.reshape(FILTERS, SITES, 2).astype("<i4")
    arrays["top_sites"][-1, 2:] = -1
    shape = SHAPES["above_half_max"][1]
    arrays["above_half_max"] = rng.integers(0, 256, shape).astype("|u1")
    arrays["perturbed"] = rng.integers(0, 4, SHAPES["perturbed"][1]).astype("|u1")
    return arrays


@pytest.fixture
def probe(tmp_path):
    """An output folder of the probe phase with nothing wrong in it."""
    folder = tmp_path / "probe"
    folder.mkdir()
    for name, array in good_arrays().items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)
    return folder


@pytest.fixture
def fit(tmp_path):
    """An output folder of the fit phase with nothing wrong in it."""
    folder = tmp_path / "fit"
    folder.mkdir()
    (folder / "graph.pb").write_bytes(b"\x0agraph")
    (folder / "network.json").write_text("{}", encoding="utf-8")
    write_history(folder)
    return folder


def write_history(folder, **changes):
    payload = {"history": [{"loss": 0.7, "val_auroc": 0.5}], "num_weights": 1234, **changes}
    (folder / "history.json").write_text(json.dumps(payload), encoding="utf-8")


def take(folder, **changes):
    settings = {
        "tests": TESTS,
        "explained": EXPLAINED,
        "length": LENGTH,
        "classes": CLASSES,
        "top_sites": SITES,
        "explanations": ASKED,
        **changes,
    }
    return take_probe(folder, **settings)


def refused(taken, folder, name=None):
    """The one line with which a folder is refused; it names the file or array."""
    with pytest.raises(InvalidOutput) as error:
        taken(folder)
    message = str(error.value)
    assert "\n" not in message
    assert message.isascii()
    assert len(message) < 400
    if name:
        assert name in message
    return message


def save(folder, name, array):
    np.save(folder / f"{name}.npy", array, allow_pickle=False)


def test_whole_probe_output_is_taken_as_it_is(probe):
    taken = take(probe)
    assert taken.has_filters
    assert set(taken.arrays) == set(SHAPES)
    for name, array in good_arrays().items():
        np.testing.assert_array_equal(taken.arrays[name], array, strict=True)


def test_a_network_without_filters_is_taken(probe):
    for name in SCAN:
        (probe / f"{name}.npy").unlink()
    taken = take(probe)
    assert not taken.has_filters
    assert set(taken.arrays) == set(WITHOUT_SCAN)


def test_arrays_of_gates_are_taken_where_they_were_asked_for(probe):
    untrained = good_arrays()["top_sites"][:3]
    save(probe, "scan_logits", good_arrays()["logits"])
    save(probe, "untrained_top_sites", untrained)
    refused(take, probe, "scan_logits")
    asked = functools.partial(take, gates={"scan_matters", "scan_learned"})
    np.testing.assert_array_equal(asked(probe).arrays["untrained_top_sites"], untrained)
    # a network may have neither
    (probe / "scan_logits.npy").unlink()
    assert set(asked(probe).arrays) == {*SHAPES, "untrained_top_sites"}
    refused(functools.partial(take, gates={"scan_matters"}), probe, "untrained_top_sites")
    for wrong in (untrained[0], untrained[:0], untrained + TESTS):
        save(probe, "untrained_top_sites", wrong)
        refused(asked, probe, "untrained_top_sites")
    save(probe, "untrained_top_sites", untrained)
    save(probe, "scan_logits", good_arrays()["logits"][:-1])
    refused(asked, probe, "scan_logits")


def test_a_network_of_before_the_training_is_taken_whole(fit):
    assert take_fit(fit).untrained is None
    (fit / "untrained.graph.pb").write_bytes(b"graph")
    refused(take_fit, fit, "untrained.network.json")
    (fit / "untrained.network.json").write_text("{}", encoding="utf-8")
    before = take_fit(fit).untrained
    assert before == (fit / "untrained.graph.pb", fit / "untrained.network.json")


def test_maps_of_extra_sets_are_checked_where_they_are_there(probe):
    of_sets = dataclasses.replace(ASKED, extra=("ism", "deepshap"), extras=3)
    asked = functools.partial(take, explanations=of_sets)
    assert "ism_extra" not in asked(probe).arrays
    maps = np.ones((3, LENGTH, 4, CLASSES), np.float32)
    np.save(probe / "ism_extra.npy", maps)
    np.testing.assert_array_equal(asked(probe).arrays["ism_extra"], maps)
    refused(take, probe, "ism_extra")
    np.save(probe / "ism_extra.npy", maps[:2])
    refused(asked, probe, "ism_extra")


def test_methods_that_were_not_asked_for_are_not_expected(probe):
    (probe / "ism.npy").unlink()
    asked = dataclasses.replace(ASKED, methods=("saliency", "deepshap"))
    assert "ism" not in take(probe, explanations=asked).arrays


def test_whole_fit_output_is_taken(fit):
    taken = take_fit(fit)
    assert (taken.graph, taken.network) == (fit / "graph.pb", fit / "network.json")
    assert taken.history == [{"loss": 0.7, "val_auroc": 0.5}]
    assert taken.num_weights == 1234


def test_own_training_has_no_history(fit):
    write_history(fit, history=[])
    assert take_fit(fit).history == []


@pytest.mark.parametrize("name", ["progress.jsonl", "error.json"])
def test_notes_of_the_worker_are_allowed(name, fit, probe):
    for folder, taken in ((fit, take_fit), (probe, take)):
        (folder / name).write_text("{}\n", encoding="utf-8")
        taken(folder)


@pytest.mark.parametrize("name", ["graph.pb", "network.json", "history.json"])
def test_a_missing_file_of_the_fit_is_named(name, fit):
    (fit / name).unlink()
    assert "missing" in refused(take_fit, fit, name)


@pytest.mark.parametrize(
    "name", [n for n in SHAPES if n != "filter_max" and not n.endswith("_randomised")]
)
def test_a_missing_array_is_named(name, probe):
    (probe / f"{name}.npy").unlink()
    assert "missing" in refused(take, probe, name)


@pytest.mark.parametrize(
    "extra", ["extra.npy", ".hidden", "logits.npy.bak", "\x1b[31mred\nline", "ä"]
)
def test_a_file_that_nobody_asked_for_is_refused_by_a_harmless_name(extra, fit, probe):
    for folder, taken in ((fit, take_fit), (probe, take)):
        (folder / extra).write_bytes(b"x")
        message = refused(taken, folder, ascii(extra)[1:-1])
        assert "\x1b" not in message


def test_a_method_that_was_not_asked_for_is_an_unexpected_file(probe):
    asked = dataclasses.replace(ASKED, methods=("saliency", "deepshap"))
    assert "ism.npy" in refused(lambda folder: take(folder, explanations=asked), probe)


def test_very_many_files_are_refused(fit):
    for number in range(2000):
        (fit / f"{number}").touch()
    refused(take_fit, fit)


def test_a_missing_folder_is_refused(tmp_path):
    refused(take_fit, tmp_path / "nowhere")
    refused(take, tmp_path / "nowhere")


def symlink(path, target):
    path.symlink_to(target)


def hard_link(path, target):
    os.link(target, path)


def folder(path, target):
    path.mkdir()


def pipe(path, target):
    os.mkfifo(path)


@pytest.mark.parametrize("make", [symlink, hard_link, folder, pipe])
@pytest.mark.parametrize(
    ("phase", "name"),
    [("fit", "graph.pb"), ("fit", "network.json"), ("fit", "history.json")]
    + [("probe", f"{name}.npy") for name in ("logits", "ism", "filter_max", "top_sites")],
)
def test_only_plain_files_are_taken(phase, name, make, fit, probe, tmp_path):
    out, taken = (fit, take_fit) if phase == "fit" else (probe, take)
    elsewhere = tmp_path / "elsewhere"
    (out / name).rename(elsewhere)
    make(out / name, elsewhere)
    refused(taken, out, name)


def test_a_link_to_a_secret_is_not_quoted(fit, tmp_path):
    (tmp_path / "secret").write_text("password", encoding="utf-8")
    (fit / "history.json").unlink()
    (fit / "history.json").symlink_to(tmp_path / "secret")
    assert "password" not in refused(take_fit, fit)


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("dtype", ["f8", "f2", ">f4", "<i8", "|i1", ">i4", "?", "<c8", "S4", "<U2"])
def test_another_type_is_refused(name, dtype, probe):
    array = np.zeros(SHAPES[name][1], dtype)
    save(probe, name, array)
    message = refused(take, probe, name)
    assert SHAPES[name][0] in message


def test_a_structured_type_is_refused(probe):
    save(probe, "logits", np.zeros((TESTS, CLASSES), [("a", "<f4"), ("b", "<f4")]))
    refused(take, probe, "logits")


@pytest.mark.parametrize("name", [n for n in SHAPES if n != "filter_max"])
def test_another_shape_is_refused(name, probe):
    dtype, shape = SHAPES[name]
    bigger = (shape[0] + 1, *shape[1:])
    flat = (int(np.prod(shape)),)
    turned = shape[::-1]
    for other in (bigger, flat, turned, (*shape, 1), (0, *shape[1:]), ()):
        save(probe, name, np.zeros(other, dtype))
        assert str(shape) in refused(take, probe, name)


@pytest.mark.parametrize("shape", [(0,), (), (FILTERS, 1), (4097,), (1 << 20,)])
def test_a_strange_number_of_filters_is_refused(shape, probe):
    save(probe, "filter_max", np.zeros(shape, "<f4"))
    refused(take, probe, "filter_max")


def test_fewer_filters_than_sites_were_given_for_are_refused(probe):
    save(probe, "filter_max", np.zeros(FILTERS - 1, "<f4"))
    refused(take, probe, "top_sites")


@pytest.mark.parametrize("name", ["logits", "saliency", "top_sites"])
def test_another_order_in_memory_is_refused(name, probe):
    save(probe, name, np.asfortranarray(good_arrays()[name]))
    refused(take, probe, name)


def test_a_method_that_does_not_support_the_network_leaves_none_of_its_arrays(probe):
    for path in probe.glob("deepshap*"):
        path.unlink()
    reasons = {"deepshap": "op MatMul\x1b[31m\n of " + "x" * 900}
    (probe / "unsupported.json").write_text(json.dumps(reasons), encoding="utf-8")
    taken = take(probe)
    assert not [name for name in taken.arrays if name.startswith("deepshap")]
    reason = taken.unsupported["deepshap"]
    assert reason.startswith("op MatMul")
    assert reason.isprintable()
    assert len(reason) < 300


def test_a_method_cannot_be_left_out_in_silence(probe):
    (probe / "deepshap.npy").unlink()
    refused(take, probe, "deepshap")


def test_arrays_of_a_method_that_is_said_to_be_unsupported_are_refused(probe):
    (probe / "unsupported.json").write_text('{"deepshap": "op MatMul"}', encoding="utf-8")
    refused(take, probe, "deepshap")


@pytest.mark.parametrize(
    "content", ["[]", '{"other": "x"}', '{"ism": 3}', "{", '{"ism": {"a": "b"}}', "[" * 100_000]
)
def test_reasons_that_are_not_reasons_are_refused(content, probe):
    (probe / "unsupported.json").write_text(content, encoding="utf-8")
    refused(take, probe, "unsupported.json")


def test_ops_whose_gradient_a_method_took_are_told_beside_its_maps(probe):
    named = {"deepshap": "op TopKV2\x1b[31m, op While"}
    (probe / "by_gradient.json").write_text(json.dumps(named), encoding="utf-8")
    taken = take(probe)
    assert "deepshap" in taken.arrays
    (warning,) = unsupported_warnings(taken)
    assert warning.startswith("deepshap takes the gradient where it has no rule: op TopKV2")
    assert warning.isprintable()
    (probe / "by_gradient.json").write_text('{"other": "op While"}', encoding="utf-8")
    refused(take, probe, "by_gradient.json")


def test_the_network_with_random_weights_may_lack_a_method(probe):
    (probe / "deepshap_randomised.npy").unlink()
    assert "deepshap_randomised" not in take(probe).arrays


def test_letters_that_do_not_exist_are_refused(probe):
    array = good_arrays()["perturbed"]
    array[0, 0, 0] = 4
    save(probe, "perturbed", array)
    refused(take, probe, "perturbed")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", FLOATS)
def test_values_that_are_not_finite_are_refused_with_their_share(name, bad, probe):
    array = good_arrays()[name]
    array.flat[-1] = bad
    save(probe, name, array)
    message = refused(take, probe, name)
    assert f"{1 / array.size:.1%}" in message
    assert "learning rate" in message


@pytest.mark.parametrize("name", ["logits", "explained_logits", "saliency", "ism"])
def test_values_whose_squares_overflow_are_refused(name, probe):
    array = good_arrays()[name]
    array.flat[0] = -3e38
    save(probe, name, array)
    assert "learning rate" in refused(take, probe, name)


def test_activations_may_be_huge(probe):
    for name in ("filter_max", "scan_max"):
        save(probe, name, np.full(SHAPES[name][1], 3e38, "<f4"))
    assert take(probe).arrays["scan_max"].max() > 1e38


@pytest.mark.parametrize(
    "site",
    [(TESTS, 0), (0, LENGTH), (-2, 0), (0, -2), (1 << 30, 0), (0, 1 << 30), (-1, 5), (3, -1)],
)
def test_sites_that_do_not_exist_are_refused(site, probe):
    array = good_arrays()["top_sites"]
    array[2, 1] = site
    save(probe, "top_sites", array)
    refused(take, probe, "top_sites")


def test_the_first_and_the_last_whole_window_exist(probe):
    # the study's rule for a window of 20: base - 10 > 0 and base + 10 < length
    array = good_arrays()["top_sites"]
    array[0, :2] = [(0, 11), (TESTS - 1, LENGTH - 11)]
    save(probe, "top_sites", array)
    assert take(probe).arrays["top_sites"][0, 1].tolist() == [TESTS - 1, LENGTH - 11]


@pytest.mark.parametrize("base", [0, 10, LENGTH - 10, LENGTH - 1])
def test_a_site_without_a_whole_window_is_refused(base, probe):
    array = good_arrays()["top_sites"]
    array[0, 0] = (0, base)
    save(probe, "top_sites", array)
    refused(take, probe, "top_sites")


class Payload:
    """A pickle of this makes a file when it is read."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return Path.touch, (self.marker,)


@pytest.mark.parametrize("name", ["logits", "saliency", "filter_max", "top_sites"])
def test_a_pickle_is_never_read(name, probe, tmp_path):
    marker = tmp_path / "executed"
    path = probe / f"{name}.npy"
    objects = np.empty(SHAPES[name][1], dtype=object)
    objects[:] = Payload(marker)
    np.save(path, objects, allow_pickle=True)
    refused(take, probe, name)
    path.write_bytes(pickle.dumps(Payload(marker)))
    refused(take, probe, name)
    assert not marker.exists()
    pickle.loads(path.read_bytes())
    assert marker.exists(), "the payload works"


HEADER = "{'descr': '<f4', 'fortran_order': False, 'shape': (%s)}"


def with_header(text):
    """An array file with any text as its header."""
    header = text.encode("latin1") + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\x93NUMPY", id="magic alone"),
        pytest.param(b"\x93NUMPY\x01\x00\xff\xff{", id="cut header"),
        pytest.param(b"not an array" * 100, id="text"),
        pytest.param(with_header("__import__('os').getcwd()"), id="call"),
        pytest.param(with_header("[1, 2]"), id="list"),
        pytest.param(with_header(HEADER % "4, 'x'"), id="shape of text"),
        pytest.param(with_header(HEADER % "-4, -3"), id="negative shape"),
        pytest.param(with_header(HEADER % "4, 3), 'more': (1,"), id="more keys"),
        pytest.param(with_header((HEADER % "4, 3").replace("<f4", "no")), id="unknown type"),
        pytest.param(with_header("(" * 5000), id="nested brackets"),
        pytest.param(with_header("-" * 9000 + "1"), id="nested signs"),
        pytest.param(with_header(HEADER % ("4, 3" + " " * 20000)), id="long header"),
    ],
)
def test_what_is_no_array_file_is_refused(content, probe):
    (probe / "logits.npy").write_bytes(content)
    refused(take, probe, "logits")


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("change", [-1, -40, 1, 4096])
def test_truncated_and_padded_files_are_refused(name, change, probe):
    path = probe / f"{name}.npy"
    content = path.read_bytes()
    path.write_bytes(content[:change] if change < 0 else content + bytes(change))
    refused(take, probe, name)


def test_a_header_that_claims_more_than_the_file_holds_is_refused_before_it_is_read(probe):
    text = HEADER % "1000000000000,"
    for name in ("filter_max", "logits"):
        path = probe / f"{name}.npy"
        content = path.read_bytes()
        path.write_bytes(with_header(text))
        refused(take, probe, name)
        path.write_bytes(content)


def test_a_zip_in_place_of_an_array_is_refused(probe):
    path = probe / "logits.npy"
    with path.open("wb") as file:
        np.savez(file, logits=good_arrays()["logits"])
    refused(take, probe, "logits")


def test_a_sparse_file_is_refused(fit):
    with (fit / "graph.pb").open("wb") as file:
        file.truncate(64 << 20)
    refused(take_fit, fit, "graph.pb")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        "3",
        '{"history": []}',
        '{"num_weights": 1}',
        '{"history": 3, "num_weights": 1}',
        '{"history": [3], "num_weights": 1}',
        '{"history": [{"loss": "low"}], "num_weights": 1}',
        '{"history": [{"loss": null}], "num_weights": 1}',
        '{"history": [{"loss": [1]}], "num_weights": 1}',
        '{"history": [{"loss": 1' + "0" * 400 + '}], "num_weights": 1}',
        '{"history": [], "num_weights": -1}',
        '{"history": [], "num_weights": 1e300}',
        '{"history": [], "num_weights": Infinity}',
        '{"history": [], "num_weights": NaN}',
        '{"history": [], "num_weights": 1' + "0" * 6000 + "}",
        '{"history": [], "num_weights": "\\u001b[31m many"}',
        '{"history": [], "num_weights": 1, "own_training": "fit"}',
        '{"history": [], "num_weights": 1, "own_training": [[]]}',
        '{"history": [], "num_weights": 1, "own_training": ["\\u001b[31m fit"]}',
        "[" * 100_000,
        '{"history": ' + "[" * 100_000 + "]" * 100_000 + ', "num_weights": 1}',
    ],
    ids=lambda text: text[:40],
)
def test_what_is_no_training_history_is_refused(text, fit):
    (fit / "history.json").write_text(text, encoding="utf-8")
    refused(take_fit, fit, "history.json")


def test_bytes_that_are_no_text_are_refused(fit):
    (fit / "history.json").write_bytes(b"\xff\xfe\x00\x01")
    refused(take_fit, fit, "history.json")


@pytest.mark.parametrize("name", ["history.json", "network.json"])
def test_huge_json_is_refused_by_its_size(name, fit):
    (fit / name).write_bytes(b" " * (5 << 20))
    assert str(5 << 20) in refused(take_fit, fit, name)


def test_a_history_of_endless_epochs_is_refused(fit):
    write_history(fit, history=[{}] * 100_001)
    refused(take_fit, fit, "history.json")
