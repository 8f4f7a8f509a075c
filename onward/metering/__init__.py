"""How much comes in, and from how many people: counted from the event log, off the hot path.

* `query`: questions about counters by minute, and their answers as series.
* `sketch`: how many different ids there were, in 16 KB.
* `meter`: follows the log of each source and counts.
* `store`: what was counted, in DATA/usage.db.
"""
