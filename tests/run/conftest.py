"""Directories that another system user may enter, as PostgreSQL is one when tests run as root.

pytest's own ones do not serve: each new pytest closes the directory above them again.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest


@pytest.fixture
def tmp_path():
    with TemporaryDirectory() as directory:
        yield Path(directory).resolve()


@pytest.fixture(scope="module")
def module_path():
    with TemporaryDirectory() as directory:
        yield Path(directory).resolve()
