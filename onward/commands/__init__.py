"""Groups of commands: each module holds one, such as `onward catalog …`, and `onward.cli` lists them."""
