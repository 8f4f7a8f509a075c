"""Functions on the road: destinations that are functions, and insert functions before mappings (spec §10).

`host.py` has the pool of the process and says whether it may be used, `destination.py` makes a definition of
a destination that is a function, `insertion.py` calls the insert function and `stage.py` takes items through
it, between triggers and mappings. `outcomes.py` tells what an invocation is to the books, `trace.py` what
people see of one.
"""
