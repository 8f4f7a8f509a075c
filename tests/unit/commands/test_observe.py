"""What logs must not tell, whoever reads them."""

import io
import logging
import sys

import pytest
import structlog

from onward import observe


class Screen(io.StringIO):
    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


@pytest.fixture
def restored():
    root, hook, config = logging.getLogger(), sys.excepthook, structlog.get_config()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:], sys.excepthook = handlers, hook
    root.setLevel(level)
    structlog.configure(**config)


@pytest.mark.parametrize("terminal", [True, False])
def test_a_traceback_shows_no_local_variables(monkeypatch, restored, terminal):
    screen = Screen(terminal)
    monkeypatch.setattr(sys, "stderr", screen)
    observe.configure("info", "web")
    settings = {"sharedSecret": "hunter" + "2"}
    try:
        raise KeyError(len(settings))
    except KeyError:
        structlog.get_logger("test").exception("it broke")
    assert "KeyError" in screen.getvalue()
    assert "hunter" + "2" not in screen.getvalue()
