"""Stamp a built package with the commit that it is built from; all else is in pyproject.toml."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

SOURCE = Path(__file__).parent / "benchmark" / "provenance.py"


class stamped_build(build_py):  # noqa: N801
    """The usual command, and a file beside the package's modules; an editable install asks git."""

    def run(self) -> None:
        """Copy the modules, then write the stamp."""
        super().run()
        if self.editable_mode:
            return
        provenance = runpy.run_path(str(SOURCE))
        stamp = Path(self.build_lib) / "motifidelity" / provenance["STAMP"]
        stamp.write_text(json.dumps(provenance["checkout"]()) + "\n", encoding="utf-8")


setup(cmdclass={"build_py": stamped_build})
