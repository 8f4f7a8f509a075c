"""The destination loop: pull from the log, run the pipeline, batch, send, settle.

Every destination has a loop of its own (`loop.py`) over its source's log. What it must remember lives
in the state store (`state/`) and moves in one transaction. Where to look:

    process.py   the delivery process: owns a share of the destinations, follows log and configuration
    loop.py      one destination: what to do next, and when to pause
    follower.py  its place in the log, and what items come of a record
    parking.py   its payloads that wait for another attempt
    ledger.py    which records are still open, and so how far the cursor may move
    batcher.py   events into batches
    sender.py    batches into requests, requests into outcomes
    retry.py     when to try again
    breaker.py   when to leave a destination alone
    state/       cursors, counters, parked retries, discards: durable, in one transaction
"""
