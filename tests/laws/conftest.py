"""One scene for all who only read."""

from __future__ import annotations

import pytest

from tests.laws.scene import Scene, build


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Read it; that nobody changes it is the first law."""
    return build(tmp_path_factory.mktemp("scene"))
