"""What is decided about an event once for all its destinations (spec §2 steps 8 and 9, §5).

Transformations of its source, the source's schema controls, and the tracking plan that the source is
connected to. `Governor` judges one event; it is made once for a source and a version of its rules.
"""

from onward.pipeline.governance.governor import FILTERED_AT_SOURCE, Governor, Judgement
from onward.pipeline.governance.spec import Governance

__all__ = ["FILTERED_AT_SOURCE", "Governance", "Governor", "Judgement"]
