"""The command that makes a shell complete the others."""

from __future__ import annotations

from typing import Any

import click

from loader.cli.app import command_without_project, main


@command_without_project("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish", "powershell"]))
def completion_command(shell: str, **_: Any) -> None:
    """Print a script by which SHELL completes commands, options, files, datasets and periods.

    For bash, a line of ~/.bashrc is enough: eval "$(loader completion bash)". The documentation of the commands has
    that of the other shells.
    """
    from click.shell_completion import BashComplete, FishComplete, PowerShellComplete, ShellComplete, ZshComplete

    by_shell: dict[str, type[ShellComplete]] = {
        "bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete, "powershell": PowerShellComplete
    }  # fmt: skip
    script = by_shell[shell](main, {}, "loader", "_LOADER_COMPLETE").source()
    click.echo(script.encode(), nl=False)  # bytes: a line ends as the shell wants it, on Windows too
