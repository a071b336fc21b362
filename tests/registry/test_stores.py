"""A folder and a bucket behave alike, and say in one line what is wrong with them."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from urllib.parse import urlsplit

import pytest
from registry_rows import one_line, result
from s3_server import KEYS, Denying, Dropping, Silent, misbehaving

from motifidelity.errors import DataError, UnreachableError, UserError
from motifidelity.registry import Registry, existing_registry
from motifidelity.registry.s3 import Limits, S3Store
from motifidelity.registry.stores import open_store

ACTIONS = ("prepare", "record", "jobs", "readable", "stored", "has_arrays", "network", "arrays",
           "evidence", "scan_name", "layers")  # fmt: skip


@pytest.fixture
def store(place):
    return open_store(place)


def test_a_file_comes_back_as_it_was_written_and_replaces_an_older_one(store):
    for content in (b"", b"one", bytes(range(256)) * 50_000):
        store.write("jobs/a.parquet", content)
        assert store.read("jobs/a.parquet") == content
        assert store.files("jobs")["jobs/a.parquet"].size == len(content)


def test_files_lists_everything_below_a_folder_and_nothing_else(store):
    assert store.files() == store.files("jobs") == {}
    paths = ["jobs/a.parquet", "jobs/.a.tmp", "jobsx/b", "networks/r/graph.pb", "top"]
    for path in paths:
        store.write(path, b"1")
    found = store.files()
    assert sorted(found) == sorted(paths)
    assert set(store.files("jobs")) == {"jobs/a.parquet", "jobs/.a.tmp"}
    assert abs(found["top"].modified - time.time()) < 600
    assert all(entry.plain for entry in found.values())


def test_a_file_is_promoted_and_deleted(store):
    store.write("manifest/.a.json", b"{}")
    store.promote("manifest/.a.json", "manifest/a.json", b"{}")
    assert set(store.files()) == {"manifest/a.json"}
    assert store.exists("manifest/a.json")
    for _ in range(2):
        store.delete("manifest/a.json")
        assert not store.exists("manifest/a.json")
    with pytest.raises(FileNotFoundError):
        store.read("manifest/a.json")


def test_the_folder_of_a_network_goes_with_its_last_file(tmp_path):
    store = open_store(tmp_path)
    for name in ("graph.pb", "network.json"):
        store.write(f"networks/r/{name}", b"1")
    store.delete("networks/r/graph.pb")
    assert (tmp_path / "networks" / "r").is_dir()
    store.delete("networks/r/network.json")
    assert not (tmp_path / "networks" / "r").exists()
    assert (tmp_path / "networks").is_dir()


def test_a_link_is_listed_as_something_else_than_a_file(tmp_path):
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "a.parquet").symlink_to("/etc/hostname")
    assert not open_store(tmp_path).files()["jobs/a.parquet"].plain


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("s3://", "write it as s3://bucket/prefix"),
        ("s3:///prefix", "write it as s3://bucket/prefix"),
        ("s3://bucket/prefix?x=1", "write it as s3://bucket/prefix"),
        ("gs://bucket/prefix", "give a folder or s3://bucket/prefix"),
        ("https://host/results", "give a folder or s3://bucket/prefix"),
    ],
)
def test_an_address_of_something_else_is_refused(location, message):
    with pytest.raises(UserError) as error:
        Registry(location)
    assert message in str(error.value)
    assert location in str(error.value)


def test_one_prefix_has_one_name(s3):
    names = {open_store(s3 + tail).name for tail in ("", "/", "//")}
    assert names == {s3}


def test_a_registry_that_is_not_there_is_named(s3, tmp_path):
    for location in (tmp_path / "none", "s3://nowhere-at-all/results"):
        with pytest.raises(UserError) as error:
            existing_registry(location)
        assert str(location) in str(error.value)
        assert "\n" not in str(error.value)
    with pytest.raises(UserError, match="create it or correct the name"):
        Registry("s3://nowhere-at-all/results").prepare()
    with pytest.raises(DataError) as error:
        Registry("s3://nowhere-at-all/results").record(result())
    one_line(error, "s3://nowhere-at-all/results", "create the bucket", "finished jobs are kept")


@pytest.mark.parametrize(
    ("handler", "cause", "remedy"),
    [
        (Denying, "ACCESS_DENIED", "AWS_ACCESS_KEY_ID"),
        (Dropping, "did not answer", "AWS_ENDPOINT_URL"),
        (Silent, "did not answer", "AWS_ENDPOINT_URL"),
        (None, "did not answer", "AWS_ENDPOINT_URL"),
    ],
)
@pytest.mark.parametrize("action", ACTIONS)
def test_an_endpoint_that_denies_drops_or_hangs_is_one_line_in_bounded_time(
    action, handler, cause, remedy, monkeypatch
):
    monkeypatch.setattr(Limits, "__init__", lambda self: None)
    monkeypatch.setattr(Limits, "connect", 0.5)
    # one that denies answers: it may take its time on a loaded machine
    monkeypatch.setattr(Limits, "stalled", 30 if handler is Denying else 1)
    monkeypatch.setattr(Limits, "attempts", 1)
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    if handler is None:
        check(action, "http://127.0.0.1:9", cause, remedy, monkeypatch)
        return
    with misbehaving(handler) as url:
        check(action, url, cause, remedy, monkeypatch)


def check(action, url, cause, remedy, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    registry = Registry("s3://results/some/prefix")
    without = ("prepare", "jobs", "readable", "stored")
    arguments = [result()] if action == "record" else [] if action in without else ["r"]
    writes = action in ("prepare", "record")
    with pytest.raises(DataError if writes else UnreachableError) as error:
        getattr(registry, action)(*arguments)
    one_line(error, "s3://results/some/prefix", "'results'", url, cause, remedy)


def test_an_upload_that_is_cut_off_half_way_leaves_nothing(s3, s3_url, monkeypatch):
    target = urlsplit(s3_url)
    proxy = socket.create_server(("127.0.0.1", 0))

    def relay(client, budget):
        server = socket.create_connection((target.hostname, target.port))

        def back():
            try:
                while data := server.recv(65536):
                    client.sendall(data)
            except OSError:
                pass

        threading.Thread(target=back, daemon=True).start()
        try:
            while budget > 0 and (data := client.recv(min(budget, 65536))):
                budget -= len(data)
                server.sendall(data)
        except OSError:
            pass
        for end in (client, server):
            with end, contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def serve():
        while True:
            try:
                client, _ = proxy.accept()
            except OSError:
                return
            threading.Thread(target=relay, args=(client, 200_000), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    direct = open_store(s3)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{proxy.getsockname()[1]}")
    cut = S3Store(s3, Limits(5, 10, 1))
    cut.write("jobs/small", b"x" * 1000)
    with pytest.raises(OSError, match="did not answer"):
        cut.write("jobs/large", b"x" * 1_000_000)
    proxy.close()
    assert set(direct.files()) == {"jobs/small"}
