"""Results of a worker that was taken over: everything that comes back is checked by the host."""

from __future__ import annotations

import dataclasses
import textwrap

import numpy as np
import pytest

# a worker whose results are random but right, and then spoilt in one way; it needs no TensorFlow
WORKER = """
    import json, os, sys
    import numpy as np

    def probe(request, out):
        rng = np.random.default_rng(0)
        sequences = np.load(request["inputs"]["sequences"])
        explained = np.load(request["inputs"]["explained"])
        (n, length), m, filters = sequences.shape, len(explained), 8
        top = request["scan"]["top_sites"]
        sites = np.stack([rng.integers(20, 60, (filters, top)) for _ in range(2)], -1)
        arrays = {
            "logits": rng.normal(size=(n, CLASSES)).astype("f4"),
            "explained_logits": rng.normal(size=(m, CLASSES)).astype("f4"),
            "filter_max": rng.random(filters).astype("f4") + 1,
            "scan_max": rng.random((n, length)).astype("f4"),
            "top_sites": sites.astype("i4"),
            "above_half_max": rng.integers(0, 256, (n, length, 1)).astype("u1"),
        }
        for method in request["methods"]:
            arrays[method] = rng.normal(size=(m, length, 4, CLASSES)).astype("f4")
            if request["methods"][method].get("hypothetical"):
                arrays[method + "_completeness"] = rng.normal(size=(m, CLASSES)).astype("f4")
                arrays[method + "_hypothetical"] = arrays[method]
        tested, curves = request["tested"], request["curves"]
        for method in curves["methods"]:
            for curve in ("deletion", "insertion"):
                shape = (tested, CLASSES, len(curves["counts"]))
                arrays[f"{method}_{curve}"] = rng.normal(size=shape).astype("f4")
        for method in request["randomised"]:
            arrays[method + "_randomised"] = arrays[method][:tested]
        copies = (tested, curves["perturbations"])
        arrays["perturbed"] = rng.integers(0, 4, (*copies, length)).astype("u1")
        arrays["changes"] = rng.normal(size=(*copies, CLASSES)).astype("f4")
        extra = spoil(arrays) or {}
        for name, array in arrays.items():
            np.save(f"{out}/{name}.npy", array, allow_pickle=True)
        for name, content in extra.items():
            with open(f"{out}/{name}", "wb") as file:
                file.write(content)
        spoil_files(out)

    def fit(request, out):
        for name, content in FIT.items():
            with open(f"{out}/{name}", "w") as file:
                file.write(content)

    with open(sys.argv[2]) as file:
        request = json.load(file)
    {"fit": fit, "probe": probe}[sys.argv[1]](request, request["out"])
"""
NOTHING = """
    def spoil(arrays): pass
    def spoil_files(out): pass
    FIT = {"graph.pb": "x", "network.json": "{}"}
    FIT["history.json"] = '{"history": [], "num_weights": 1}'
"""
ARRAYS = {
    "NaN": ("def spoil(a): a['logits'][3, 2] = np.nan", "logits: 0.1% of the values are NaN"),
    "infinite": ("def spoil(a): a['saliency'][0, 0, 0, 0] = np.inf", "saliency: "),
    "far out of range": ("def spoil(a): a['ism'][:] = 1e30", "ism: values beyond 1e+18"),
    "too few sequences": (
        "def spoil(a): a['logits'] = a['logits'][:-1]",
        "logits has shape (59, 12)",
    ),
    "too many sequences": (
        "def spoil(a): a['logits'] = np.repeat(a['logits'], 2, 0)",
        "logits has shape (120, 12); (60, 12) is expected",
    ),
    "wrong axes": ("def spoil(a): a['ism'] = a['ism'].swapaxes(1, 2)", "ism has shape"),
    "column order": (
        "def spoil(a): a['logits'] = np.asfortranarray(a['logits'])",
        "logits has shape",
    ),
    "wrong type": ("def spoil(a): a['logits'] = a['logits'].astype('f8')", "logits has type <f8"),
    "pickled objects": (
        "def spoil(a): a['logits'] = a['logits'].astype(object)",
        "logits has type |O",
    ),
    "missing array": ("def spoil(a): del a['saliency']", "saliency.npy: missing"),
    "scan without its sites": ("def spoil(a): del a['top_sites']", "top_sites.npy: missing"),
    "too many filters": (
        "def spoil(a): a['filter_max'] = np.zeros(5000, 'f4')",
        "filter_max has shape (5000,)",
    ),
    "sites that do not exist": ("def spoil(a): a['top_sites'][0, 0] = 60", "top_sites names"),
    "one more file": ("def spoil(a): return {'scores.json': b'{}'}", "1 unexpected file:"),
}
FILES = {
    "truncated": ("os.truncate('/out/ism.npy', 500)", "bytes do not fit its shape"),
    "bytes behind the end": (
        "open('/out/ism.npy', 'ab').write(b'x')",
        "bytes do not fit its shape",
    ),
    "sparse": (
        "n = os.path.getsize('/out/ism.npy'); os.truncate('/out/ism.npy', 128); "
        "os.truncate('/out/ism.npy', n)",
        "ism.npy: a sparse file",
    ),
    "not an array": (
        "open('/out/ism.npy', 'wb').write(b'PK' * 999)",
        "ism: not a numpy array file",
    ),
    "zip archive": (
        "np.savez_compressed('/tmp/a.npz', np.zeros(1 << 22)); "
        "open('/out/ism.npy', 'wb').write(open('/tmp/a.npz', 'rb').read())",
        "ism: not a numpy array file",
    ),
    "header that claims the world": (
        "h = b\"{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776, 4), }\"; "
        "open('/out/ism.npy', 'wb').write(b'\\x93NUMPY\\x01\\x00' + bytes([len(h), 0]) + h)",
        "ism has shape",
    ),
    "header that crashes a parser": (
        "h = b'(' * 9000; "
        "open('/out/ism.npy', 'wb').write("
        "b'\\x93NUMPY\\x01\\x00' + len(h).to_bytes(2, 'little') + h)",
        "ism: not a numpy array file",
    ),
    "symbolic link": (
        "os.unlink('/out/ism.npy'); os.symlink('/etc/hosts', '/out/ism.npy')",
        "a symbolic link",
    ),
    "hard link": ("os.link('/out/ism.npy', '/out/error.json')", "a hard link"),
    "pipe": ("os.unlink('/out/ism.npy'); os.mkfifo('/out/ism.npy')", "not a regular file"),
    "folder": ("os.unlink('/out/ism.npy'); os.mkdir('/out/ism.npy')", "is a folder"),
    "unprintable name": ("open('/out/\\x1b[2J\\n.npy', 'w')", "'\\x1b[2J\\n.npy'"),
}
HISTORIES = {
    "endless numbers": ('{"history": [{"loss": 1e400}], "num_weights": 1e400}', "not a training"),
    "huge number": (
        '{"history": [{"loss": 1' + "0" * 400 + '}], "num_weights": 1}',
        "not a training",
    ),
    "no object": ("[]", "not a training history"),
    "deep": ("[" * 90_000, "not JSON"),
    "negative": ('{"history": [], "num_weights": -1}', "out of range"),
    "too big": (" " * (5 << 20), "bytes, at most"),
}


@pytest.fixture
def taken_over(tmp_path, run_one, engine, image, policy):
    """Run a job whose worker is the one above, with a change, in real containers."""
    from motifidelity.containers.runner import DockerExecutor

    def run(change):
        folder = tmp_path / "worker"
        folder.mkdir()
        text = "\n".join(textwrap.dedent(t) for t in (NOTHING, change, WORKER))
        (folder / "__main__.py").write_text(
            f"import os\nimport numpy as np\nCLASSES = {len(run_one.spec.classes)}\n{text}"
        )
        (folder / "__init__.py").touch()
        model = tmp_path / "model.py"
        model.write_text("def build_model(task): ...\n")
        limits = dataclasses.replace(policy, timeout=60.0)
        return run_one(model, executor=DockerExecutor(engine, image, limits, worker=folder))

    return run


def test_right_arrays_of_any_origin_are_scored(taken_over):
    done = taken_over("")
    assert (done.outcome.status, done.outcome.message) == ("ok", "")
    assert len(done.registry.tables().scores) > 20


@pytest.mark.parametrize("case", ARRAYS)
def test_a_wrong_array_is_an_invalid_output(case, taken_over):
    change, message = ARRAYS[case]
    done = taken_over(change)
    assert done.outcome.status == done.row["status"] == "invalid_output"
    assert message in done.row["message"]


@pytest.mark.parametrize("case", FILES)
def test_a_file_that_is_no_plain_array_is_an_invalid_output(case, taken_over):
    change, message = FILES[case]
    done = taken_over(f"def spoil_files(out):\n    {change}")
    assert done.outcome.status == done.row["status"] == "invalid_output"
    assert message.encode().decode("unicode_escape") in done.row["message"] or (
        message in done.row["message"]
    )
    assert done.row["message"].isprintable()


@pytest.mark.parametrize("case", HISTORIES)
def test_a_history_that_is_none_is_an_invalid_output(case, taken_over):
    content, message = HISTORIES[case]
    done = taken_over(f"FIT['history.json'] = {content!r}")
    assert done.outcome.status == done.row["status"] == "invalid_output"
    assert message in done.row["message"]


def test_what_a_failed_job_leaves_counts_nothing(taken_over):
    tables = taken_over("def spoil(a): a['logits'][:] = np.nan").registry.tables()
    assert (len(tables.jobs), len(tables.scores), len(tables.filters)) == (1, 0, 0)


def test_a_tree_deeper_than_any_path_is_removed(tmp_path):
    import os

    from motifidelity.scratch import remove_tree

    top = tmp_path / "top"
    top.mkdir()
    here = os.getcwd()
    os.chdir(top)
    try:
        for _ in range(3000):
            os.mkdir("d")
            os.chdir("d")
        os.symlink(here, "link")
    finally:
        os.chdir(here)
    remove_tree(top)
    assert not top.exists()
    assert os.listdir(here)


def test_arrays_are_compared_with_numpy_s_own_reader(tmp_path):
    from motifidelity.runs.intake import take_array

    rng = np.random.default_rng(0)
    values = rng.normal(size=(7, 5)).astype("f4")
    np.save(tmp_path / "logits.npy", values)
    np.testing.assert_array_equal(take_array(tmp_path / "logits.npy", "<f4", (7, 5)), values)
