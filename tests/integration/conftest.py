"""Fixtures of the integration tests beside those of `tests/conftest.py`: the browser."""

from browser import chromium

__all__ = ["chromium"]
