"""The page Exercises: prediction, view, check, answer; progress in the session and the link."""

from core.lecture import exercises
from core.room import room
from core.room.room import Room
from pages.ui.exercises import exercise, progress
from pages.ui.exercises.progress import Progress
from pages.ui.shared import header, training_queue
from tests.pages.driver import opened_on

FOUND, PROBLEMS = exercise.read_all()


def test_a_prediction_is_committed_tested_and_kept_after_the_answer():
    app = opened_on(header.EXERCISES, exercise="pairs").lack("2. Try it")
    app.radio[0].set_value(0).run()
    assert app.press("commit-pairs").query()["progress"] == "pairs-0"
    app.expect("2. Try it").press("hint-pairs").expect("Hint 1:")
    # In the view, whose bar leads back, a setting is changed.
    app.page = "pages/mechanisms.py"
    app.switch_page(app.page)
    app.query_params.update(exercises_view("pairs"))
    app.run().expect("Exercise ", "until at least a tenth")
    share = app.read_text().split("99% of the gradient comes from ")[1].split("%")[0]
    app.field("naive.noise").set_value(0.5).run()
    app.switch_page(header.EXERCISES).run()
    app.page = header.EXERCISES
    numbers = exercises.compute_numbers(find("pairs"), {"naive.noise": 0.5})
    assert (f"{100 * exercises.compute_numbers(find('pairs'), {})['share']:.2f}", numbers["yours"] > 0.1) == (
        share,
        True,
    )
    app.expect(f"With your settings {numbers['yours']:.1%}").lack("3. The answer")
    app.press("reveal-pairs").expect("3. The answer", "Your prediction is not right")
    app.session_state["hourglass.memory"]["naive.noise"] = 0.3
    app.run().expect("You have done this.")
    assert not app.radio
    assert app.query()["progress"] == "pairs-0drh1"


def find(name: str) -> exercises.Exercise:
    return next(one for one in FOUND if one.name == name)


def exercises_view(name: str) -> dict[str, str]:
    return dict(find(name).view.choices)


def test_progress_survives_a_link_and_hostile_ones_are_refused():
    kept = {"pairs": Progress(2.0, True, True, 1), "other": Progress(12.5), "third": Progress(hints=2)}
    assert progress.unpack(progress.pack(kept)) == kept
    for text in ("", "x", "pairs-r", "pairs-dr", "pairs-1rh1_", "Pairs-1", "pairs-nan", "pairs-1e5", "p-1_" * 900):
        assert progress.unpack(text) is None, text
    opened_on(header.EXERCISES, exercise="pairs", progress="pairs-2rh1").expect("3. The answer")
    opened_on(header.EXERCISES, exercise="pairs", progress="<b>").expect("can't be read").lack("2. Try it")
    opened_on(header.EXERCISES, exercise="pairs", progress="pairs-9r").lack("2. Try it")


# Of these pages the tests of the tour open such links, which take seconds.
OPENED_BY_TOUR = {"compare", "generation"}
# Numbers of the exercises as their views have them.
SHOWN = {
    "components": "PCA needs 11, {needed:.0f} and",
    "labels": "test error of {scratch:.2%}, AE, fine-tuned of {tuned:.2%}",
    "pairs": "comes from {share:.2%} of the pairs",
    "bound": "is {yours:.4f} nats",
    "gradients": "has {ratio:.0f} times the variance",
    "collapse": "{usual:.0f} of 64 components",
    "discriminator": "difference between D and p / (p + q) is {difference:.3f}",
    "modes": "{covering_deviation:.2f} and {seeking_deviation:.2f}",
}


def test_views_open_with_their_choices_and_show_the_same_numbers():
    for one in FOUND:
        if one.view.page in OPENED_BY_TOUR:
            assert set(one.view.choices) <= {"data", "section", "size"}
            continue
        app = opened_on(header.VIEWS[one.view.page], **one.view.choices)
        assert [message.value for message in (*app.error, *app.warning)] == [], one.name
        assert {name: app.query_params[name] for name in one.view.choices} == one.view.choices, one.name
        app.expect(exercises.fill(SHOWN[one.name], exercises.compute_numbers(one, {})))


def test_the_room_predicts_and_sees_it_when_the_presenter_shows_it(monkeypatch):
    state = Room("secret")
    monkeypatch.setattr(room, "find_room", lambda: state)
    monkeypatch.setattr(training_queue, "get_person", lambda: "d" * 16)
    for k, person in enumerate("abc"):
        state.commit("pairs", str(k % 2), person * 16)
    app = opened_on(header.EXERCISES, exercise="pairs").lack("The room predicts")
    app.radio[0].set_value(3).run()
    app.press("commit-pairs")
    assert state.read_counts("pairs") == {"0": 2, "1": 1, "3": 1}
    state.reveal("pairs")
    app.run().expect("The room predicts", "4 people", "A tenth to a half")
    # The first prediction of a person counts, also in another session.
    other = opened_on(header.EXERCISES, exercise="pairs")
    other.radio[0].set_value(0).run()
    assert other.press("commit-pairs").query()["progress"] == "pairs-3"


def test_a_guessed_number_is_committed():
    app = opened_on(header.EXERCISES, exercise="components")
    assert app.find_button("commit-components").disabled
    app.number_input[0].set_value(70).run()
    # A browser that sends what the page does not offer.
    app.number_input[0].set_value(9999)
    assert "progress" not in app.press("commit-components").query()
    app.number_input[0].set_value(70).run()
    app.press("commit-components").expect("You predict **70** components")
    assert app.press("reveal-components").success[0].value == "Your prediction is right."
