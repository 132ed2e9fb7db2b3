"""The command line: ``python -m core COMMAND``; ``python -m core --help`` lists the commands."""

import functools
import io
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Annotated, Any

import typer

from core import config
from core.commands import catalogue, handout, labelled_fraction, options, own_data, runs, workshop
from core.errors import HourglassError, describe_error


def ship(
    only: Annotated[list[str] | None, typer.Argument(metavar="DATASET/METHOD", help="Only these runs.")] = None,
    missing: Annotated[bool, typer.Option("--missing", help="Leave out what exists already.")] = False,
    remeasure: Annotated[bool, typer.Option("--remeasure", help="Keep the weights and measure them again.")] = False,
    inverters: Annotated[bool, typer.Option("--inverters", help="Only the regressors of the GAN inverters.")] = False,
    comparisons: Annotated[bool, typer.Option("--comparisons", help="Only the concept demos' VAEs and GANs.")] = False,
) -> None:
    """Build the runs, classifiers and regressors in assets."""
    from core import shipped
    from core.mechanisms import finished_games
    from core.tasks import vae_vs_gan_training

    if comparisons:
        vae_vs_gan_training.ship_comparisons(options.say)
        finished_games.ship(options.say)
    else:
        shipped.ship(only or (), missing=missing, remeasure=remeasure, say=options.say, inverters=inverters)


_NOTHING, _PARTLY = "nothing was stored", "the runs that were finished are stored, the others are not"
# name, function, example of its arguments, and what is said after Ctrl-C
COMMANDS = (
    ("datasets", catalogue.list_datasets, "", _NOTHING),
    ("methods", catalogue.list_methods, "", _NOTHING),
    ("fit", runs.fit, "mnist ae --max-seconds 60 --set n_components=30", _NOTHING),
    ("compare", runs.compare, "digits pca ae vae --code-size 2", _PARTLY),
    (
        "labelled-fraction",
        labelled_fraction.sweep_labelled_fraction,
        "digits --labels 20,100 --methods network,ae",
        "the same command resumes the sweep",
    ),
    ("import", own_data.import_file, "wine.csv --label class", _NOTHING),
    ("export", own_data.export, "0123456789abcdef run.zip", _NOTHING),
    ("rename", own_data.rename, 'wine "Wine of Italy"', _NOTHING),
    ("delete", own_data.delete, "wine --yes", "what was deleted so far is gone"),
    ("handout", handout.write_handout, "handout.html", "no hand-out was written"),
    ("workshop", workshop.serve_workshop, "--port 8502", "the app is closed"),
    ("ship", ship, "mnist/ae --remeasure", _PARTLY),
)


class _Stopped(Exception):
    """A command was stopped by Ctrl-C; the text says what is left."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return the exit code: 0, 1 if it failed, 2 for bad input, 130 after Ctrl-C."""
    # A closed console is None.
    sys.stdout, sys.stderr = (stream or io.StringIO() for stream in (sys.stdout, sys.stderr))
    for stream in (sys.stdout, sys.stderr):
        # A console that lacks a character shows its number instead.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    group = _make_group()
    try:
        with group.make_context("python -m core", list(sys.argv[1:] if arguments is None else arguments)) as context:
            group.invoke(context)
    except typer.Exit as end:
        return end.exit_code
    except typer.TyperException as problem:
        context = getattr(problem, "ctx", None)
        path = context.command_path if context else "python -m core"
        return _end(2, f"{problem.format_message().rstrip('.')}. See {path} --help")
    except HourglassError as problem:
        return _end(1 if isinstance(problem, options.Failed) else 2, str(problem))
    except _Stopped as stop:
        return _end(130, f"stopped; {stop}.")
    except BrokenPipeError:
        _discard_output()
        sys.stderr.close()
    except OSError as error:
        _discard_output()
        return _end(2, str(error))
    return 0


def _make_group():
    examples = "".join(f"\n  python -m core {name} {example}" for name, _, example, _ in COMMANDS[2:5])
    app = typer.Typer(
        help="Hourglass on the command line: train, compare and exchange runs.",
        epilog=f"\b\nExamples:{examples}",
        add_completion=False,
        rich_markup_mode=None,
    )
    for name, function, example, when_stopped in COMMANDS:
        app.command(name, epilog=f"Example: python -m core {name} {example}")(_guard(name, function, when_stopped))
    return typer.main.get_command(app)


def _guard(name: str, function: Callable[..., None], when_stopped: str) -> Callable[..., None]:
    """Check the settings before a command, and turn errors into sentences."""

    @functools.wraps(function)
    def run(**given: Any) -> None:
        config.check_settings()
        try:
            function(**given)
            sys.stdout.flush()
        except KeyboardInterrupt as stop:
            raise _Stopped(str(stop) or when_stopped) from None
        except (HourglassError, OSError, typer.TyperException):
            raise
        except Exception as error:
            if sys.flags.dev_mode:  # python -X dev -m core
                raise
            raise options.Failed(describe_error(f"The command {name}", error)) from None

    return run


def _end(code: int, message: str) -> int:
    print(f"hourglass: {message}", file=sys.stderr)
    return code


def _discard_output() -> None:
    """Redirect standard output, which Python would flush again when it exits."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
