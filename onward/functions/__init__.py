"""Users' JavaScript: processes of Deno in a sandbox of their own, and the pool that keeps them.

`box.py` is the operating system's part of the sandbox, `sandbox.py` the command line with Deno's part,
`selftest.py` attacks both before anything is trusted to them. `wire.py` is what is said over the pipe,
`process.py` one process, `pool.py` many, `errors.py` what becomes of an event. `runner/` is what runs inside.
"""
