"""`make bench`: the figures of the speed budget, as JSON lines, each with its target and a baseline.

    python -m bench [FIGURE …] [--seconds S] [--events N]

See docs/performance.md for what each figure means and how to compare two runs.
"""

import argparse
import json
import sys
from collections.abc import Callable

from bench import accept, baseline, bridge, deliver, engines, functions, isolation, natives

FIGURES: dict[str, Callable[[argparse.Namespace], list[dict[str, object]]]] = {
    "baseline": baseline.run,
    "mapping-10": engines.run_mapping,
    "trigger-3": engines.run_trigger,
    "accept-single": lambda args: accept.run(args, batch=1, target=15_000),
    "accept-batch": lambda args: accept.run(args, batch=100, target=250_000),
    "deliver-batched": lambda args: deliver.run(args, batched=True, target=100_000),
    "deliver-unbatched": lambda args: deliver.run(args, batched=False, target=15_000),
    "backlog": deliver.backlog,
    "isolation": isolation.run,
    "bridge": bridge.run,
    "natives": natives.run,
    "functions": functions.run,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("figures", nargs="*", metavar="FIGURE", help=f"any of: {', '.join(FIGURES)}")
    parser.add_argument("--seconds", type=float, default=6.0, help="length of each load")
    parser.add_argument("--events", type=int, default=1_000_000, help="events in the backlog that is drained")
    parser.add_argument("--backlog", type=int, default=2_000_000, help="events in the large backlog")
    args = parser.parse_args()
    unknown = set(args.figures) - FIGURES.keys()
    if unknown:
        parser.error(f"no such figure: {', '.join(sorted(unknown))}")
    for name in args.figures or FIGURES:
        print(f"… {name}", file=sys.stderr)
        for row in FIGURES[name](args):
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
