"""The registry: an append-only record of results in Parquet.

Layout of a registry folder, one immutable file a result in each table:

- ``jobs/RESULT.parquet``: one row, written last; a result without it does not exist
- ``scores/``, ``filters/``, ``history/``: the result's rows of that table
- ``networks/RESULT/``: the frozen network, from which a result can be probed again
- ``arrays/RESULT.npz``: predictions, filter scans and maps, from which it can be scored again

A job may have several results, of a failure and a later try, or of a later scoring, which names
the result whose network and arrays it used; the latest counts.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from motifidelity import schema
from motifidelity.errors import DataError
from motifidelity.storage import atomic_folder, atomic_path

if TYPE_CHECKING:
    import pandas as pd

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Tables:
    """The registry's tables, the latest result of every job only."""

    jobs: pd.DataFrame
    scores: pd.DataFrame
    filters: pd.DataFrame
    history: pd.DataFrame


@dataclass(frozen=True)
class Result:
    """One finished job, ready to be recorded.

    ``files`` are copied into the result's network folder; ``arrays`` are stored compressed.
    """

    job: Mapping[str, Any]
    scores: Rows = ()
    filters: Rows = ()
    history: Rows = ()
    files: Sequence[Path] = ()
    arrays: Mapping[str, Any] | None = None


class Registry:
    """A registry in a local folder.

    Parameters
    ----------
    folder : Path
        Created when a result is first recorded.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def prepare(self) -> None:
        """Make sure that results can be recorded, before anything is trained.

        Raises
        ------
        DataError
            If the folder cannot be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with atomic_path(self.folder / ".writable") as probe:
                probe.write_bytes(b"")
            (self.folder / ".writable").unlink(missing_ok=True)
        except OSError as error:
            raise DataError(
                f"registry {self.folder}: cannot be written ({error.strerror or error}); choose "
                "another folder with --registry"
            ) from error

    def record(self, result: Result, when: datetime | None = None) -> str:
        """Record a result; it is there as a whole or not at all.

        Returns
        -------
        str
            The result's id: job id, time and a random part, so that two writers never collide.

        Raises
        ------
        DataError
            If the disk is full or the folder cannot be written; nothing of it counts then.
        """
        when = when or datetime.now(UTC)
        job_id = result.job["job_id"]
        result_id = f"{job_id}-{when:%Y%m%dT%H%M%S%f}-{secrets.token_hex(3)}"
        keys = {"result_id": result_id, "job_id": job_id}
        try:
            if result.files:
                with atomic_folder(self.folder / "networks" / result_id) as folder:
                    for file in result.files:
                        shutil.copyfile(file, folder / file.name)
            if result.arrays:
                _write_arrays(self.folder / "arrays" / f"{result_id}.npz", result.arrays)
            for name in ("scores", "filters", "history"):
                rows = [{**row, **keys} for row in getattr(result, name)]
                if rows:
                    self._write(name, result_id, rows)
            row = {**result.job, **keys, "schema_version": schema.VERSION}
            self._write("jobs", result_id, [row])
        except OSError as error:
            raise DataError(
                f"registry {self.folder}: result of job {job_id} cannot be written "
                f"({error.strerror or error}); free some space and run the same command again: "
                "finished jobs are kept"
            ) from error
        return result_id

    def jobs(self) -> pd.DataFrame:
        """The latest result of every job, one row each.

        Raises
        ------
        DataError
            Naming a file that is damaged.
        """
        frame: pd.DataFrame = self.latest("jobs")["jobs"].to_pandas()
        return frame

    def tables(self) -> Tables:
        """All tables, limited to the latest result of every job.

        Raises
        ------
        DataError
            Naming a file that is damaged.
        """
        return Tables(**{k: t.to_pandas() for k, t in self.latest(*schema.TABLES).items()})

    def latest(self, *names: str) -> dict[str, pa.Table]:
        """The named tables, limited to the latest result of every job, in the order of their time.

        Raises
        ------
        DataError
            Naming a file that is damaged.
        """
        jobs = self._table("jobs").sort_by("result_id")
        # a job's results sort by their time; the last of each job counts
        last = jobs.group_by("job_id").aggregate([("result_id", "max")])["result_id_max"]
        return {
            name: table.filter(pc.is_in(table["result_id"], last.combine_chunks()))
            for name in names
            for table in [jobs if name == "jobs" else self._table(name)]
        }

    def arrays(self, result_id: str) -> dict[str, Any]:
        """Stored arrays of a result.

        Raises
        ------
        DataError
            If they are missing or damaged.
        """
        import numpy as np

        path = self.folder / "arrays" / f"{result_id}.npz"
        try:
            with np.load(path, allow_pickle=False) as stored:
                return {name: stored[name] for name in stored.files}
        except Exception as error:  # a damaged archive raises errors of half a dozen libraries
            raise DataError(
                f"{path}: missing or damaged ({type(error).__name__}); run the job again with "
                "--force"
            ) from error

    def has_arrays(self, result_id: str) -> bool:
        """Whether a result's arrays were kept."""
        return (self.folder / "arrays" / f"{result_id}.npz").exists()

    def network(self, result_id: str) -> dict[str, Path] | None:
        """Files of a result's frozen network by stem, or None where it was not kept."""
        folder = self.folder / "networks" / result_id
        files = {path.stem: path for path in folder.glob("*")} if folder.is_dir() else {}
        return files if {"graph", "network"} <= files.keys() else None

    def _write(self, name: str, result_id: str, rows: Rows) -> None:
        table = pa.Table.from_pylist(list(rows), schema=schema.TABLES[name])
        with atomic_path(self.folder / name / f"{result_id}.parquet") as path:
            pq.write_table(table, path, compression="zstd")

    def _table(self, name: str) -> pa.Table:
        expected = schema.TABLES[name]
        folder = self.folder / name
        files = sorted(folder.glob("*.parquet")) if folder.is_dir() else []
        tables = []
        for file in files:
            try:
                tables.append(_read(file, expected))
            except (pa.ArrowException, OSError, ValueError) as error:
                # without its row in jobs/ a result does not exist, and its job is run anew
                row = self.folder / "jobs" / file.name
                both = "" if name == "jobs" else f" together with {row}"
                raise DataError(
                    f"{file}: damaged or not of this registry "
                    f"({' '.join(str(error).split())[:80]}); move it away{both} and run the same "
                    "command again: its job is run anew, all others are kept"
                ) from error
        return pa.concat_tables(tables) if tables else expected.empty_table()


def _read(file: Path, expected: pa.Schema) -> pa.Table:
    """One file of a table; columns that are newer than the file are null.

    Raises
    ------
    ValueError
        If a column is missing that every result has: the file is not of this registry.
    """
    found = pq.read_schema(file)
    for column in expected:
        if not column.nullable and column.name not in found.names:
            raise ValueError(f"it has no column {column.name}")
    return pq.read_table(file, schema=expected, partitioning=None)


def _write_arrays(target: Path, arrays: Mapping[str, Any]) -> None:
    import numpy as np

    with atomic_path(target) as path, path.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
