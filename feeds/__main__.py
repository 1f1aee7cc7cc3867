"""`python -m feeds`, the same as the command `feeds`."""

from feeds.cli import main

if __name__ == "__main__":
    main()
