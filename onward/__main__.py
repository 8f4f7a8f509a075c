"""`python -m onward`: the command line, and the entry of the supervisor's children."""

import sys


def main() -> int:
    if sys.argv[1:2] and sys.argv[1].startswith("_"):  # a role of the supervisor's
        from onward import child

        return child.main(sys.argv[1:])
    from onward import cli

    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
