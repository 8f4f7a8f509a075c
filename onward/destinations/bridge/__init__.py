"""Segment's open-source destinations, run locally: packages, a sandboxed worker, and the way out of it."""
