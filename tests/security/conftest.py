"""The office of the handlers' tests, for those who attack it."""

from tests.handlers.conftest import office

__all__ = ["office"]
