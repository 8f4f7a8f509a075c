"""Makes every call of a Python client once: `python calls.py MODULE WRITE_KEY URL`.

Runs with only the client's own folder on its path. The three clients share these signatures.
"""

import importlib
import sys


def main(module: str, write_key: str, url: str) -> None:
    errors: list[object] = []
    client = importlib.import_module(module).Client(
        write_key, host=url, on_error=lambda error, items: errors.append(error), max_retries=2
    )
    client.identify("user-7", {"email": "ada@example.com", "plan": "pro"}, anonymous_id="anon-7")
    client.track("user-7", "Order Completed", {"revenue": 12.5, "items": [1, 2], "note": "Grüße"})
    client.page("user-7", "Docs", "Start", {"url": "https://example.com/start"})
    client.screen("user-7", "Shop", "Cart", {"count": 3})
    client.group("user-7", "group-1", {"name": "Acme"})
    client.alias("anon-7", "user-7")
    client.flush()
    client.join()
    if errors:
        sys.exit(f"the client gave up: {errors}")


if __name__ == "__main__":
    main(*sys.argv[1:])
