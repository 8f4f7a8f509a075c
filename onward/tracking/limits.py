"""The documented limits of the Tracking API (spec §3.3), in one place. Sizes are bytes after inflation."""

EVENT_BYTES = 32 * 1024
"""One single-event request, and one event in a batch."""
BATCH_BYTES = 500 * 1024
"""One batch request."""
BATCH_EVENTS = 2_500
"""More events in one batch are answered 200 and all of them discarded (spec §22.1)."""

GZIP_SLACK = 1024
"""What gzip may add to a body that does not compress: headers and stored blocks."""
QUERY_BYTES = 64 * 1024
"""Longest pixel query: 32 KB in base64, percent-encoded, fits."""
AUTHORIZATION_BYTES = 1024
"""A longer Authorization header holds no write key."""
USER_AGENT_CHARS = 1024
"""Longer user agents are cut."""
DRAIN_BYTES = 4 * 1024 * 1024
"""How much of a refused body is read and thrown away, so that the client gets to see its 400."""
