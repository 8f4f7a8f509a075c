"""What delivery must remember: cursors, counters, parked retries, discards; changed in one transaction."""
