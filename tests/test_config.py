"""Settings from the environment: one sentence for a wrong one, before anything is done."""

import io
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core import config, datasets
from core.cli import main
from core.errors import BadInput
from core.tasks import worker

ROOT = Path(__file__).parent.parent


def test_unset_or_empty_settings_have_defaults(monkeypatch):
    for name in ("DATA", "RUNS", "QUOTA_GB", "NICE", "THREADS", "WORKSHOP"):
        monkeypatch.setenv(f"HOURGLASS_{name}", "")
    config.check_settings()
    assert config.data_folder() == config.user_cache()
    assert config.runs_folder().name == "runs"
    assert (config.quota_gb(), config.niceness(), config.threads(), config.is_workshop()) == (5, 10, 1, False)


def test_wrong_setting_is_refused_by_every_command(monkeypatch, capsys):
    for name, given in (
        ("HOURGLASS_DATA", "~nosuchuser"),
        ("HOURGLASS_RUNS", f"{__file__}/runs"),
        ("HOURGLASS_QUOTA_GB", "nan"),
        ("HOURGLASS_NICE", "20"),
        ("HOURGLASS_THREADS", "0"),
        ("HOURGLASS_WORKSHOP", "perhaps"),
    ):
        with monkeypatch.context() as patch:
            patch.setenv(name, given)
            with pytest.raises(BadInput, match=f"^{name}=.* is not allowed: "):
                config.check_settings()
            assert main(["datasets"]) == 2
            out, err = capsys.readouterr()
            assert out == ""
            assert err.startswith(f"hourglass: {name}=")
            assert err.count("\n") == 1
            assert worker.main() == 2
            assert name in capsys.readouterr().err


def test_page_shows_a_wrong_setting_and_nothing_else(monkeypatch):
    monkeypatch.setenv("HOURGLASS_RUNS", "~nosuchuser")
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    assert not page.exception
    assert [error.value.replace("\\", "")[:27] for error in page.error] == ["HOURGLASS_RUNS=~nosuchuser "]
    assert not page.header


def test_ascii_console_gets_escaped_text(monkeypatch):
    entry = replace(datasets.entry("digits"), summary="Zürich − 2 × π \ud800")
    monkeypatch.setattr(datasets, "entry", lambda name: entry)
    console = io.TextIOWrapper(io.BytesIO(), "ascii")
    monkeypatch.setattr(sys, "stdout", console)
    assert main(["datasets"]) == 0
    assert rb"Z\xfcrich \u2212 2 \xd7 \u03c0 \ud800" in console.buffer.getvalue()


def test_unforeseen_error_and_unwritable_output_are_one_sentence(monkeypatch, capsys):
    if Path("/dev/full").exists():
        with open("/dev/full", "wb") as full:
            command = [sys.executable, "-m", "core", "datasets"]
            done = subprocess.run(command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, timeout=120)
        assert done.returncode == 2
        assert done.stderr.decode().count("\n") == 1
        assert b"No space left on device" in done.stderr
    monkeypatch.setattr(datasets, "names", lambda: 1 / 0)
    assert main(["datasets"]) == 1
    assert capsys.readouterr().err == (
        "hourglass: The command datasets failed in a way this program did not foresee "
        "(ZeroDivisionError: division by zero).\n"
    )
