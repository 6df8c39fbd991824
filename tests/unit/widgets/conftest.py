"""Widgets need an application, and no window."""

from __future__ import annotations

import pytest

pytest.importorskip("qtpy", reason="Qt is not installed")
