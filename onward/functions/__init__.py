"""Users' JavaScript: processes of Deno in a sandbox of their own, and the pool that keeps them.

`box.py` is the operating system's part of the sandbox, `sandbox.py` the command line with Deno's part,
`selftest.py` attacks both before anything is trusted to them. `wire.py` is what is said over the pipe,
`process.py` one process, `flight.py` the calls that are under way in it, `pool.py` many processes, `many.py`
many events at once, `errors.py` what becomes of an event. `runner/` is what runs inside.
"""
