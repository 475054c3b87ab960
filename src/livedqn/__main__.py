"""``python -m livedqn``."""

from livedqn.cli import main

if __name__ == "__main__":
    main()
