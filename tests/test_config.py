"""Settings from the environment: one sentence for a wrong one, before anything is done."""

import io
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from core import config, datasets
from core.cli import main
from core.errors import BadInput
from core.tasks import worker
from tests.pages.driver import ROOT, opened


def test_unset_or_empty_settings_have_defaults(monkeypatch):
    for name in ("DATA", "RUNS", "QUOTA_GB", "UPLOAD_MB", "NICE", "THREADS", "WORKSHOP"):
        monkeypatch.setenv(f"HOURGLASS_{name}", "")
    config.check_settings()
    assert config.data_folder() == config.user_cache()
    assert config.runs_folder().name == "runs"
    assert (config.quota_gb(), config.niceness(), config.threads(), config.is_workshop()) == (5, 10, 1, False)
    assert config.upload_limit() == 200_000_000


def test_wrong_setting_is_refused_by_every_command(monkeypatch, capsys):
    numbers = {"QUOTA_GB": "nan", "UPLOAD_MB": "-1", "NICE": "20", "THREADS": "0"}
    wrong = {"DATA": "~nosuchuser", "RUNS": f"{__file__}/runs", **numbers, "WORKSHOP": "perhaps"}
    for name, given in ((f"HOURGLASS_{name}", given) for name, given in wrong.items()):
        with monkeypatch.context() as patch:
            patch.setenv(name, given)
            with pytest.raises(BadInput, match=f"^{name}=.* is not allowed: "):
                config.check_settings()
            assert main(["datasets"]) == 2
            out, err = capsys.readouterr()
            assert (out, err.partition("=")[0], err.count("\n")) == ("", f"hourglass: {name}", 1)
            assert worker.main() == 2
            assert name in capsys.readouterr().err


def test_page_shows_a_wrong_setting_and_nothing_else(monkeypatch):
    monkeypatch.setenv("HOURGLASS_RUNS", "~nosuchuser")
    page = opened().expect("HOURGLASS_RUNS=~nosuchuser is not allowed")
    assert (len(page.error), len(page.title)) == (1, 0)


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
        assert (done.returncode, done.stderr.count(b"\n"), b"No space left" in done.stderr) == (2, 1, True)
    monkeypatch.setattr(datasets, "names", lambda: 1 / 0)
    assert main(["datasets"]) == 1
    err = capsys.readouterr().err
    assert err.startswith("hourglass: The command datasets failed in a way this program did not foresee (ZeroDiv")
