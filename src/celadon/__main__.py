"""`python -m celadon` is the command `celadon`."""

from celadon.cli import main

if __name__ == "__main__":
    main()
