"""Machinery that several controllers share: expectations, batching, claiming, creating pods."""
