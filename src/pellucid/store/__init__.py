"""Answers on disk: what was asked once is read again, after a restart too."""

from pellucid.store.answers import Store

__all__ = ["Store"]
