"""`python -m fabrique` is the `fabrique` command."""

from fabrique.cli import main

main()
