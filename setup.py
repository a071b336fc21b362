"""Packages by folder, and a built package's stamp: its commit. All else is in pyproject.toml."""

from __future__ import annotations

import json
import runpy
import tomllib
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
SOURCE = ROOT / "benchmark" / "provenance.py"


def packages() -> list[str]:
    """Every package below the folders of `package-dir`: a new room needs no line anywhere."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    roots = settings["tool"]["setuptools"]["package-dir"]
    below = [f"{name}.{sub}" for name, root in roots.items() for sub in find_packages(root)]
    return sorted({*roots, *below})


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


setup(packages=packages(), cmdclass={"build_py": stamped_build})
