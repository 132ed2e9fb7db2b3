"""The views that are opened before people come."""

from pathlib import Path

from pages.ui.room import warm_up
from pages.ui.tour import steps


def test_all_pages_steps_links_and_exercises_are_opened_once():
    views = warm_up.list_views()
    assert len(set(views)) == len(views)
    assert {page or "app" for page, _ in views} <= {"app"} | {path.stem for path in Path("pages").glob("*.py")}
    assert {f"step={k}&room=0" for k in range(1, len(steps.STEPS) + 1)} <= {query for page, query in views}
    assert ("exercises", "exercise=pairs&room=0") in views
