"""`python -m loader` is the same as the `loader` command."""

from loader.cli.app import main

main()
