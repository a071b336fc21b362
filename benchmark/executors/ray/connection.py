"""The connection to a cluster of Ray: made within seconds, or refused in one line."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from motifidelity.errors import UserError
from motifidelity.provenance import worker_digest

if TYPE_CHECKING:
    from motifidelity.executors.ray.need import Need
    from motifidelity.executors.ray.node import Facts
    from motifidelity.phase.wish import Wish

ANSWER_SECONDS = 10.0
# a node may have to ask its image for its versions
EXAMINE_SECONDS = 300.0
LOCAL = "local"
# calls that a server answers to nobody without the cluster's token, where it has one
CLIENT_CALL = "/ray.rpc.RayletDriver/ClusterInfo"
HEAD_CALL = "/ray.rpc.NodeInfoGcsService/GetClusterId"
# the head starts a server for each client; a busy head, or one that has just begun, may be late
CLIENT_SERVER_LATE = (
    "Initialization failure from server",
    "reconnect a session that has already been cleaned up",
)
CLIENT_SERVER_TRIES = 3
TOKEN_MODE = "RAY_AUTH_MODE"
TOKEN_NEEDED = (
    "the cluster asks for its token: copy ~/.ray/auth_token from its head to the same place here, "
    "or name the file by RAY_AUTH_TOKEN_PATH, with RAY_AUTH_MODE unset or token"
)
CONNECTION_LOST = (
    "the connection to the cluster is lost; finished jobs are recorded: see that its head is up, "
    "and run the same command again"
)
INSTALL = "Ray is not installed; install it with: pip install 'motifidelity[ray]'"


class ClusterError(UserError):
    """The cluster is not there, or cannot do what is asked; one line."""

    exit_code = 1


def connect(address: str) -> None:
    """Connect this process to a cluster.

    Parameters
    ----------
    address : str
        ``ray://HOST:PORT``, ``HOST:PORT``, ``auto``, or ``local`` for a new one on this machine.

    Raises
    ------
    ClusterError
        If nothing answers there, a Ray or Python of another version does, or one that asks for a
        token that is not here.

    Notes
    -----
    Where the cluster asks for a token and ``RAY_AUTH_MODE`` is not set, this process and those that
    it starts get the mode ``token``, as Ray itself does for a cluster of the same machine.
    """
    if address.startswith("ray://"):
        # a client that loses its cluster would start another one, here; read when Ray is imported
        os.environ.setdefault("RAY_ENABLE_AUTO_CONNECT", "0")
    try:
        import ray
    except ImportError as error:
        raise ClusterError(INSTALL) from error
    if ray.is_initialized():
        return
    found = address
    if address == "auto":
        # what `ray start` on this machine left, or RAY_ADDRESS
        found = os.environ.get("RAY_ADDRESS") or _running()
    if found != LOCAL:
        _knock(found)
    _silence()
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "CRITICAL"}
    if found == LOCAL:
        options["include_dashboard"] = False
    for tries in range(1, CLIENT_SERVER_TRIES + 1):
        try:
            with _quiet() as said:
                ray.init(found, **options)
        except SystemExit as error:
            raise ClusterError(_unanswered(found, "it speaks another version of Ray")) from error
        except Exception as error:
            late = any(words in str(error) for words in CLIENT_SERVER_LATE)
            if late and tries < CLIENT_SERVER_TRIES:
                # half a connection is none
                ray.shutdown()
                continue
            raise ClusterError(_refusal(found, f"{error} {said.getvalue()}")) from error
        return


def cut_off(error: BaseException) -> bool:
    """Whether a call failed because the head, or a client's way to it, is gone.

    Where a client loses its head, the calls of other threads fail by whatever they find half done:
    the cluster is asked whether it is there.
    """
    if isinstance(error, BrokenPipeError):
        # that of whoever read what the harness displays
        return False
    return isinstance(error, ConnectionError) or not _answers()


def examine_nodes(need: Need, wish: Wish) -> tuple[Facts, int]:
    """Ask every node that has room for a job what it is.

    Returns
    -------
    Facts
        What they say; nodes must be alike.
    int
        How many jobs they have room for at the same time. A node that does not answer because it
        has just died does not count.

    Raises
    ------
    ClusterError
        Naming the first node that lacks the package, its version, Docker, the image or a GPU.
    """
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    nodes = [n for n in ray.nodes() if n["Alive"] and need.fits(n["Resources"])]
    ask = ray.remote(num_cpus=0, num_gpus=need.gpus, max_retries=0)(_question())
    asked = [
        ask.options(
            scheduling_strategy=NodeAffinitySchedulingStrategy(n["NodeID"], soft=False)
        ).remote(wish)
        for n in nodes
    ]
    until = time.monotonic() + EXAMINE_SECONDS
    facts: list[Facts] = []
    together, lost = 0, ""
    for node, task in zip(nodes, asked, strict=True):
        try:
            answer = ray.get(task, timeout=max(1.0, until - time.monotonic()))
        except ray.exceptions.GetTimeoutError as error:
            raise ClusterError(
                f"node {node['NodeManagerHostname']} did not answer within {EXAMINE_SECONDS:g} s; "
                "is the cluster busy with somebody else's work? see 'ray status'"
            ) from error
        except (ray.exceptions.NodeDiedError, ray.exceptions.TaskUnschedulableError) as error:
            lost = brief(error)
            continue
        except ray.exceptions.RayError as error:
            raise ClusterError(f"node {node['NodeManagerHostname']}: {brief(error)}") from error
        if isinstance(answer, str):
            raise ClusterError(f"node {node['NodeManagerHostname']}: {answer}")
        facts.append(answer)
        together += need.fits(node["Resources"])
    if not facts:
        raise ClusterError(f"no node of the cluster answered ({lost}); see 'ray status'")
    _check_alike(facts)
    return facts[0], together


def _answers() -> bool:
    """Whether the cluster does; a client waits until Ray has given up its own attempts."""
    import ray

    try:
        ray.nodes()
    except Exception:
        return False
    return True


def brief(error: BaseException) -> str:
    """One of Ray's errors, which run over many lines, in a few words."""
    from ray import exceptions

    for kind, words in (
        (exceptions.NodeDiedError, "its node died"),
        (exceptions.OutOfMemoryError, "its node ran out of memory"),
        (exceptions.WorkerCrashedError, "its process on the node was killed"),
        (exceptions.ObjectLostError, "an input was lost with its node"),
    ):
        if isinstance(error, kind):
            return words
    cause = getattr(error, "cause", None) or error
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    return f"{type(cause).__name__}: {lines[0] if lines else ''}"[:300]


def _question() -> Callable[[Any], Any]:
    """A task that explains itself where the package is missing: it travels as code, not by name."""

    def examine(wish: Any) -> Any:
        try:
            from motifidelity.executors.ray import node
        except ImportError as error:
            return (
                f"motifidelity cannot be imported there ({error}); install the version that runs "
                "here on every node"
            )
        from motifidelity.errors import UserError

        try:
            return node.examine(wish)
        except UserError as error:
            return str(error)

    return examine


def _check_alike(facts: list[Facts]) -> None:
    mine = worker_digest()
    for fact in facts:
        if fact.worker != mine:
            raise ClusterError(
                f"node {fact.name}: motifidelity differs from the one here; install the same "
                "version on every node"
            )
        if fact.image != facts[0].image:
            raise ClusterError(
                f"nodes {facts[0].name} and {fact.name} have different images of that name; build "
                "it once and load it on each ('docker save', 'docker load')"
            )


def _silence() -> None:
    """Keep a dead node's last words, dozens of lines, off standard output.

    No option does so. What is lost is said by the executor.
    """
    from ray._private import worker

    if hasattr(worker, "print_to_stdstream"):
        worker.print_to_stdstream = lambda *_, **__: None


def _running() -> str:
    """Address of the cluster that runs on this machine."""
    from ray._private.services import find_gcs_addresses

    found = sorted(find_gcs_addresses())
    if not found:
        raise ClusterError(
            "no Ray runs on this machine; start it with 'ray start --head', give --address "
            "ray://HOST:10001, or --address local for a cluster of this machine alone"
        )
    if len(found) > 1:
        raise ClusterError(
            f"several clusters of Ray run on this machine; choose one with --address: "
            f"{', '.join(found)}"
        )
    return str(found[0])


def _knock(address: str) -> None:
    """Make sure that a gRPC server listens there and lets us in: Ray would try for a minute."""
    import grpc

    place = address.removeprefix("ray://")
    if not re.fullmatch(r"\[?[\w.:-]+\]?:\d+", place):
        raise ClusterError(f"--address {address}: write ray://HOST:PORT, HOST:PORT, auto or local")
    if os.environ.get("RAY_USE_TLS", "0").lower() in ("1", "true"):
        return
    channel = grpc.insecure_channel(place)
    try:
        grpc.channel_ready_future(channel).result(timeout=ANSWER_SECONDS)
        call = channel.unary_unary(CLIENT_CALL if place != address else HEAD_CALL)
        if _turned_away(call) and _turned_away(call, _take_token(address)):
            raise ClusterError(
                f"--address {address}: {TOKEN_NEEDED}; the token here is another one"
            )
    except grpc.FutureTimeoutError as error:
        raise ClusterError(_unanswered(address, "nothing answers")) from error
    finally:
        channel.close()


def _turned_away(call: Callable[..., Any], headers: Iterable[tuple[str, str]] = ()) -> bool:
    """Whether a call fails because of who asks; without its arguments it may fail anyway."""
    import grpc

    try:
        call(b"", timeout=ANSWER_SECONDS, metadata=tuple(headers))
    except grpc.RpcError as error:
        return error.code() is grpc.StatusCode.UNAUTHENTICATED
    return False


def _take_token(address: str) -> Iterable[tuple[str, str]]:
    """Have Ray show the token that is here, in every call; it is returned as headers."""
    raylet: Any = importlib.import_module("ray._raylet")
    if not hasattr(raylet, "AuthenticationTokenLoader"):
        raise ClusterError(_unanswered(address, "it speaks a newer version of Ray"))
    loader = raylet.AuthenticationTokenLoader.instance()
    mode = os.environ.get(TOKEN_MODE, "token")
    if mode.lower() != "token" or not loader.has_token(ignore_auth_mode=True):
        raise ClusterError(f"--address {address}: {TOKEN_NEEDED}")
    os.environ[TOKEN_MODE] = mode
    # Ray has read its environment when it was imported
    raylet.Config.initialize("")
    return list(loader.get_token_for_http_header().items())


def _unanswered(address: str, what: str) -> str:
    return (
        f"--address {address}: {what}; is the cluster up ('ray status' there), is this its port "
        "(6379, or 10001 with ray://), and does a firewall stand between?"
    )


def _refusal(address: str, text: str) -> str:
    import platform

    import ray

    found = " ".join(text.split())
    if re.search(r"version", found, re.IGNORECASE):
        theirs = re.findall(r"(?:Ray|Python)(?: version)?:? ?v?(\d+\.\d+[\w.]*)", found)
        told = f" ({', '.join(dict.fromkeys(theirs))})" if theirs else ""
        return (
            f"--address {address}: the cluster runs another version of Ray or Python{told}; here "
            f"are Ray {ray.__version__} and Python {platform.python_version()}: install the same"
        )
    # of a traceback of the cluster's own, its last line says what went wrong
    causes = re.findall(r"^[\w.]*(?:Error|Exception)\b.*", text, re.MULTILINE)
    if "Traceback (most recent call last)" in text and causes:
        found = causes[-1].strip()
    return f"--address {address}: the cluster refused ({found[:300]})"


@contextlib.contextmanager
def _quiet() -> Iterator[io.StringIO]:
    """Keep what Ray prints while it connects out of the way."""
    import warnings

    said = io.StringIO()
    with warnings.catch_warnings(), contextlib.redirect_stderr(said):
        warnings.simplefilter("ignore")
        yield said
