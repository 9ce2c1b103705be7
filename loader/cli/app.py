"""The command line: every `make` target is one of these commands. Heavy packages are imported where they are used."""

from __future__ import annotations

import _thread
import atexit
import gc
import json
import signal
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from loader import console
from loader.cli.suggestions import complete_dataset, complete_period
from loader.disclosure import told
from loader.errors import AlmanacError, UsageError

if TYPE_CHECKING:
    from loader.project import Project


# most objects of a short command are those of its imports; looking for garbage among them takes a tenth of its time
gc.set_threshold(50_000)
atexit.register(gc.disable)

INTERRUPTED = 130
"""Exit code of a command that somebody stopped with Ctrl-C, as a shell gives it."""

PathOption = click.Path(path_type=Path)


def common_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Understood before and after the name of the command."""
    for option in (
        click.option("--debug", is_flag=True, help="Show tracebacks."),
        click.option("--target", help="Output of profiles.yml to work against."),
        click.option("--project-dir", type=PathOption, help="Project folder; else found upwards from here."),
    ):
        function = option(function)
    return function


def _raised_again(lost: sys.UnraisableHookArgs) -> None:
    """Where Python cannot raise, as while it frees an object, Ctrl-C would be lost."""
    if lost.exc_type is KeyboardInterrupt:
        _thread.interrupt_main()
    else:
        sys.__unraisablehook__(lost)


class _Commands(click.Group):
    """The commands; whoever stops one with Ctrl-C is told so in one line."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta["as_json"] = "--json" in args
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        console.spell_out()
        if sys.unraisablehook is sys.__unraisablehook__:
            sys.unraisablehook = _raised_again
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            if ctx.meta["as_json"]:
                print_json({"error": UsageError(error.format_message()).as_json()})
            raise
        except KeyboardInterrupt:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # nothing is left to stop
            console.error("interrupted: what was done before stays; run the command again to do the rest")
            sys.exit(INTERRUPTED)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@common_options
@click.version_option(package_name="almanac", prog_name="loader")
@click.pass_context
def main(context: click.Context, /, **common: Any) -> None:
    """Puts file deliveries into stage, checked, and one period at a time.

    Exit codes: 0 done, or nothing to do; 1 the data was refused; 2 wrong usage or configuration; 3 the environment
    failed (database locked or out of reach, disk full); 130 Ctrl-C.
    """
    console.DEBUG.set(common["debug"])
    context.obj = common


def command(name: str, account: str = "loader") -> Callable[[Callable[..., Any]], click.Command]:
    """A command that is given the opened project; `account` of the target is the one that it works by."""

    def decorate(function: Callable[..., Any]) -> click.Command:
        @command_without_project(name)
        @wraps(function)
        def run(project_dir: Path | None, target: str | None, **options: Any) -> Any:
            from loader.staging.options import refuse_impossible

            project = _open(project_dir, target, account)
            refuse_impossible(project, options.get("dataset"), options.get("period"))
            return function(project, **options)

        return run

    return decorate


def command_without_project(name: str) -> Callable[[Callable[..., Any]], click.Command]:
    """A command that is given `project_dir` and `target` as options; its errors are one line and an exit code."""

    def decorate(function: Callable[..., Any]) -> click.Command:
        @main.command(name)
        @common_options
        @click.pass_context
        @wraps(function)
        def run(
            context: click.Context, /, project_dir: Path | None, target: str | None, debug: bool, **options: Any
        ) -> None:
            console.DEBUG.set(console.DEBUG.get() or debug)
            quiet = console.QUIET.set(bool(options.get("as_json")))
            common = context.obj
            try:
                exit_code = function(
                    project_dir=project_dir or common["project_dir"], target=target or common["target"], **options
                )
            except Exception as error:  # noqa: BLE001 - none may end in a traceback that quotes a cell
                if console.DEBUG.get():
                    click.echo(told(error, is_ours=AlmanacError), err=True, nl=False)
                known = error if isinstance(error, AlmanacError) else _foreign(error)
                _tell(known, as_json=console.QUIET.get())
                sys.exit(known.exit_code)
            finally:
                console.QUIET.reset(quiet)  # for those who call it within their own process
            sys.exit(exit_code or 0)

        return run

    return decorate


def _foreign(error: Exception) -> AlmanacError:
    return AlmanacError(f"{_brief(error)}; --debug shows where")


def _brief(error: Exception) -> str:
    """Class and place only: the text of a foreign exception may quote a cell."""
    if isinstance(error, OSError):
        return f"{type(error).__name__} ({error.strerror}: {error.filename})"
    if isinstance(error, ImportError):
        return (
            f"{error.name or 'a package'} cannot be imported; install the packages of requirements/runtime.lock again"
        )
    return type(error).__name__


def _open(project_dir: Path | None, target: str | None, account: str) -> Project:
    from loader.project import Project

    return Project.open(project_dir, target, account)


def _tell(error: AlmanacError, *, as_json: bool) -> None:
    """Say an error in one line; programs have it as JSON too, beside what was answered before."""
    console.error(f"{error.kind}: {error.message}")
    if as_json:
        print_json({**error.answered, "error": error.as_json()})


def print_json(value: Any) -> None:
    """Print a value as JSON and nothing else; what JSON does not know becomes text."""
    text = json.dumps(value, indent=2, default=str, ensure_ascii=not console.speaks_unicode(sys.stdout))
    # half a character, as names of files may have it, stays an escape of JSON
    click.echo(text.encode(errors="backslashreplace").decode())


dataset_option = click.option("--dataset", shell_complete=complete_dataset, help="Name of the dataset.")
needed_dataset_option = click.option(
    "--dataset", required=True, shell_complete=complete_dataset, help="Name of the dataset."
)
period_option = click.option("--period", shell_complete=complete_period, help="Name of the period, e.g. 2025-06.")
file_option = click.option("--file-path", type=PathOption, help="The delivery, wherever it lies.")
file_id_option = click.option("--file-id", type=int, help="Number of the file in meta.ingestion_log.")
force_option = click.option("--force", is_flag=True, help="Load a known file again; overrule the guard.")
check_all_option = click.option(
    "--check-all", is_flag=True, help="Build whatever was done before, and ask the gates of all tables."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")


def split_names(_: Any, __: Any, values: tuple[str, ...]) -> list[str]:
    """Given more than once, or separated by commas."""
    return [name.strip() for one in values for name in one.split(",") if name.strip()]


def refuse_options(command: str, options: dict[str, Any]) -> None:
    """Refuse what was given although the command does not take it.

    Raises:
        UsageError: one of the options has a value.
    """
    for name, value in options.items():
        if value is not None:
            raise UsageError(f"`{command}` knows no --{name.replace('_', '-')}; leave it out")


def confirmed(lines: list[str], question: str, *, yes: bool) -> None:
    """Show what would be done, and ask; raises UsageError when nobody says yes."""
    for line in lines:
        console.say(line)
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("nobody is here to confirm it; look at the lines above, and run it with --yes")
    if not click.confirm(question):
        raise UsageError("it was not confirmed, nothing was changed")
