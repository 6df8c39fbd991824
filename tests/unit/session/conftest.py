"""A session with a project on discs, in a home of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from helpers.benches import Bench
from helpers.projects import disc_project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def bench(tmp_path: Path, home: Path) -> Iterator[Bench]:
    made = Bench()
    disc_project(tmp_path).close()
    made.open(tmp_path / "discs.mouse-seg")
    yield made
    made.session.close()
