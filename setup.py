"""Only what pyproject.toml cannot say: a wheel carries the files with which `loader init` begins a project."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from setuptools import setup
from setuptools.command.build_py import build_py

sys.path.insert(0, str(Path(__file__).parent))  # a build has an interpreter of its own, which does not know this folder

from loader.codegen.skeleton import PACKED, skeleton_files


class BuildWithSkeleton(build_py):
    """The files come from their places in the repository."""

    def _get_data_files(self) -> list[Any]:
        """For a wheel."""
        return [*super()._get_data_files(), self._skeleton()]

    def get_data_files_without_manifest(self) -> list[Any]:
        """For an sdist, which has them in the same places."""
        return [*super().get_data_files_without_manifest(), self._skeleton()]

    def _skeleton(self) -> tuple[str, str, str, list[str]]:
        """Package, source folder, folder in the wheel, and files, as setuptools wants them."""
        packed = Path(self.build_lib, "loader", "codegen", PACKED)
        return "loader.codegen", "", str(packed), [str(path) for path in skeleton_files(Path())]


setup(cmdclass={"build_py": BuildWithSkeleton})
