"""The Typer application, and how it ends: with an exit code and one paragraph, never a traceback."""

from __future__ import annotations

import errno
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer import Option
from typer.core import TyperGroup

from market_reaction.cli.console import say
from market_reaction.errors import MarketReactionError

CLICK_ERROR: type[Exception] = typer.BadParameter.__mro__[2]  # ClickException, whoever ships click
FAILED, INTERRUPTED = 2, 130


class Group(TyperGroup):
    """Commands whose errors are one paragraph on stderr and an exit code, never a traceback."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the command line and leave with its exit code."""
        try:
            code = super().main(args, prog_name, complete_var, False, windows_expand_args, **extra)
        except MarketReactionError as error:
            code = _refuse(str(error))
        except CLICK_ERROR as error:
            code = _refuse(_usage(error))
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise
            code = _refuse(
                f"{error.filename or 'a file'}: {error.strerror or error}. Choose another place, or mend it."
            )
        except typer.Abort:
            code = INTERRUPTED
        code = code if isinstance(code, int) else 0
        return sys.exit(code) if standalone_mode else code


def _refuse(message: str) -> int:
    say(f"Error: {message}")
    return FAILED


def _usage(error: Any) -> str:
    """What typer says about a mistake, as full sentences."""
    text = error.format_message().replace("Value error, ", "").rstrip(".")
    path = error.ctx.command_path if getattr(error, "ctx", None) else "market-reaction"
    return f"{text}{'' if text.endswith('?') else '.'} `{path} --help` shows what it takes."


app = typer.Typer(
    cls=Group,
    name="market-reaction",
    help="How markets reacted to an announcement, and whether that was unusual.",
    epilog="""\b
Examples:
  market-reaction react 2025-06-10-jt --report
  market-reaction react "2018-03-22 16:45 UTC" --markets "S&P 500, VIX, CSI 300"
  market-reaction react --date 2025-06-11 --format json
  market-reaction events --search rare
  market-reaction lab""",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"market-reaction {version('market-reaction')}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _start(
    ctx: typer.Context,
    version: Annotated[bool, Option("--version", callback=_version, is_eager=True, help="Show the version.")] = False,
) -> None:
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())


def main() -> None:
    """Run the command line: the entry point ``market-reaction``."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace", **({} if stream.isatty() else {"encoding": "utf-8"}))
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
