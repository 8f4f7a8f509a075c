"""Onward: a self-hosted, Segment-compatible customer-data router."""

__version__ = "0.1.0"
