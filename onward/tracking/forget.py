"""The front door's part of a deletion (spec §16.1): samples in the debugger and among the discards.

What if the process dies here? The deletion says only afterwards that this part is done; it is done again.
"""

import logging
import time
from functools import partial

from sqlalchemy import Engine

from onward.tracking.ledger import Ledger
from onward.workspace import erasure
from onward.workspace.database import reading, writing

log_ = logging.getLogger(__name__)


def forget(ledger: Ledger, engine: Engine) -> int:
    """Do what there is to do; the number of deletions. Raises what the databases do; then try again."""
    with reading(engine) as session:
        if not erasure.waits(session):
            return 0
        due = erasure.for_the_door(session)
        if not due:
            return 0
        workspaces = erasure.workspaces(session)
    for each in due:
        ledger.erase(partial(each.covers, workspaces), each.users, each.before)
    with writing(engine) as session:
        erasure.door_is_erased(session, [each.id for each in due], int(time.time() * 1000))
    log_.info("samples of %d deletions erased", len(due))
    return len(due)
