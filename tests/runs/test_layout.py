"""Where runs are: names of folders, what may lie beside them, sizes and the quota."""

import os

import pytest

from core.errors import BadInput, HourglassError
from core.files import check_room, size_of
from core.runs import layout, reader, store
from tests.conftest import locked


def test_runs_are_found_under_this_name_and_older_ones(fitted, place):
    run, arrays = fitted
    assert place == layout.runs_folder() / "digits" / f"ae-2-{run.key[:8]}"
    layout.SHIPPED.mkdir()
    for folder in (layout.SHIPPED, layout.runs_folder()):
        for name in (run.key, place.name):
            place = place.rename(folder / name)
            assert store.find_place(run.key) == place
            assert [found.key for found in store.list_runs()[0]] == [run.key]
            assert store.is_shipped(reader.read_run(place)) == (folder == layout.SHIPPED)
    # It stays where it is, and there is one of it.
    assert store.write_run(run, arrays) == place
    store.delete_run(run.key)
    assert store.list_places() == ([], [])


def test_key_never_leads_out_of_the_runs(fitted, place):
    (layout.runs_folder().parent / "0123456789abcdef").mkdir(exist_ok=True)
    for wrong in ("", "..", "../0123456789abcdef", str(place), place.name, fitted[0].key + "\n"):
        assert store.find_place(wrong) is None
        for function in (store.get_place, store.delete_run):
            with pytest.raises(BadInput, match="is no key of a run: a key is 16 of the digits"):
                function(wrong)
    assert store.get_place(fitted[0].key) == place
    with pytest.raises(BadInput, match="There is no run"):  # another one shares the first eight digits
        store.get_place(fitted[0].key[:8] + "0" * 8)


def make_a_mess(folder):
    """Put other things into a folder of runs; return the names of folders to be reported."""
    for hidden in (folder / ".jobs", folder / "digits" / ".pca-2-01234567-half"):
        hidden.mkdir()
    (folder / "round").symlink_to("round")
    wrong = ["0123456789abcdef", "pipe", "device", "link", "digits/mine", os.fsdecode(b"digits/\xff")]
    for name in wrong:
        (folder / name).mkdir()
    os.mkfifo(folder / "pipe" / "run.json")
    (folder / "device" / "run.json").symlink_to("/dev/zero")
    (folder / "link" / "run.json").symlink_to("run.json")
    return wrong


def test_runs_are_listed_whatever_lies_beside_them(fitted, place):
    folder = layout.runs_folder()
    wrong = make_a_mess(folder)
    runs, problems = store.list_runs()
    assert [run.key for run in runs] == [fitted[0].key]
    assert len(problems) == len(wrong)
    for name in wrong:
        shown = f"{folder}/{name}".replace(os.fsdecode(b"\xff"), "\\xff")
        assert sum(shown in problem for problem in problems) == 1
    assert size_of(folder) > size_of(place) > 0


def test_unreadable_folders_are_reported_and_the_other_runs_are_listed(fitted, place, monkeypatch):
    store.write_run(*fitted, layout.SHIPPED)
    for folder in (layout.runs_folder(), place.parent):
        with monkeypatch.context() as patch:
            locked(patch, folder)
            (run,), (problem,) = store.list_runs()
            assert store.is_shipped(run)
            assert str(folder) in problem
            assert problem.endswith("can't be read (Permission denied).")
            assert store.find_place(run.key) == layout.place_of(layout.SHIPPED, run.spec)


def test_last_byte_of_the_quota_may_be_used(tmp_path, monkeypatch):
    monkeypatch.setenv("HOURGLASS_QUOTA_GB", "5")
    monkeypatch.setenv("HOURGLASS_RUNS", str(tmp_path))
    (tmp_path / "sparse").touch()
    os.truncate(tmp_path / "sparse", 4_980_000_000)
    check_room(20_000_000)
    with pytest.raises(HourglassError, match=r"no room for 20.0 MB more: the runs in .* take 4.98 of 5.00 GB"):
        check_room(20_000_001)


def test_folder_that_can_not_be_written_is_known_beforehand(tmp_path, monkeypatch):
    monkeypatch.setenv("HOURGLASS_RUNS", str(tmp_path / "new"))
    layout.check_writable()
    (tmp_path / "new").rmdir()  # nothing is in it
    (tmp_path / "new").write_text("in the way")
    with pytest.raises(HourglassError, match="HOURGLASS_RUNS"):
        layout.check_writable()
