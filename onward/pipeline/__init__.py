"""Pure steps on one event: no I/O, no clock and no randomness that is not passed in."""
