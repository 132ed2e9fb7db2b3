// The bar of a workshop's room: whether this tab follows the presenter, where they are, and the time that is left.
if (!window.hourglassRoom) {
  window.hourglassRoom = true;
  const CHOICE = "hourglass.follows"; // "yes", "no" once it was left, or not there
  const LONGEST_WAIT = 10; // seconds between two tries to reach the room
  const CALM = 1500; // milliseconds after a touch in which the tab goes nowhere: what it asked of the server must arrive
  const SHOWN = 20; // seconds that a sentence about what has happened is shown

  // No markup: Streamlit drops a script with anything that looks like a tag.
  const make = (tag, attributes, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  };
  const sentence = make("p", { role: "status" });
  const timer = make("span", { role: "timer", class: "hg-timer" });
  const buttons = make("div", {});
  const bar = make("section", { class: "hg-room", "aria-label": "Room" }, sentence, timer, buttons);
  const board = make("dialog", { class: "hg-join", "aria-label": "Join this room" });
  document.body.append(bar, board);

  let stream = null;
  let wait = 1;
  let state = null; // what the room told last
  let seen = null; // version of the room that this tab has gone to
  let calls = null;
  let event = ""; // what has happened, in a sentence
  let clock = 0; // seconds that the server's clock is ahead

  const isNotes = () => location.pathname.endsWith("/presenter");
  const isPresenter = () => state && "leading" in state;
  const follows = () => sessionStorage.getItem(CHOICE) === "yes";
  const send = (word) => stream?.readyState === WebSocket.OPEN && stream.send(word);

  const isThere = () => {
    const here = new URLSearchParams(location.search);
    const there = [...new URLSearchParams(state.query)];
    return location.pathname === state.path && there.every(([name, value]) => here.get(name) === value);
  };

  let isRevealed = false; // the room's predictions, which the page shows when it is run again
  let touched = 0;
  for (const type of ["click", "keydown"]) addEventListener(type, ({ target }) => bar.contains(target) || (touched = Date.now()), true);
  const isBusy = () => {
    const { testConnectionState: connection, testScriptState: script } = document.querySelector(".stApp").dataset;
    const calm = Date.now() - touched;
    // A phone that wakes up may reach the room before it reaches the app.
    return connection !== "CONNECTED" || calm < CALM || (calm < 5 * CALM && script === "running");
  };

  // Streamlit runs the page of an address when the browser goes back or forth in its history.
  const go = (isForced = false) => {
    if (isBusy() && !isForced) {
      setTimeout(() => seen !== state.version && (follows() || isPresenter()) && go(), 100);
      return;
    }
    const isAway = document.hidden || state.wasAway;
    seen = state.version;
    state.wasAway = false;
    const isRedrawn = isRevealed;
    isRevealed = false;
    if (!state.path || (isThere() && !isRedrawn)) return;
    const query = new URLSearchParams(state.query);
    query.set("room", state.version);
    history.pushState(null, "", `${state.path}?${query}`);
    dispatchEvent(new PopStateEvent("popstate"));
    document.querySelector(".stMain")?.scrollTo(0, 0);
    if (isAway && !isPresenter()) tell(`While you were away, the presenter went to ${state.label}.`);
  };

  const tell = (text) => {
    event = text;
    setTimeout(() => {
      if (event === text) event = "";
      draw();
    }, 1000 * SHOWN);
  };

  const makeButton = (label, act) => {
    const button = make("button", { type: "button" }, label);
    button.onclick = act;
    return button;
  };

  const join = () => {
    sessionStorage.setItem(CHOICE, "yes");
    send("follow");
    calls = state.calls;
    event = "";
    go(true);
    draw();
  };

  const leave = () => {
    sessionStorage.setItem(CHOICE, "no");
    send("leave");
    event = "";
    draw();
  };

  const describe = () => {
    if (!stream || stream.readyState !== WebSocket.OPEN || !state) return "The connection to the room is lost. Trying again.";
    if (event) return event;
    if (isPresenter()) {
      const predicted = state.query.includes("exercise=") ? `, ${state.predicted} predicted` : "";
      return `${state.leading ? "You lead" : "The room stays"}: ${state.following} following${predicted}.`;
    }
    if (follows()) return "You follow the presenter.";
    if (calls !== state.calls) return `The presenter asks everybody to look at ${state.label}.`;
    return sessionStorage.getItem(CHOICE) ? "You left the presenter." : "A presenter leads this room.";
  };

  const listButtons = (isOn) => {
    if (!isOn) return [];
    if (isPresenter())
      return [
        makeButton("Everybody look here", () => send("call")),
        makeButton(state.leading ? "Let them stay" : "Lead", () => send(state.leading ? "stay" : "lead")),
      ];
    return [follows() ? makeButton("Leave", leave) : makeButton(sessionStorage.getItem(CHOICE) ? "Come back" : "Follow", join)];
  };

  let drawn = "";
  const draw = () => {
    const text = describe();
    const isOn = stream?.readyState === WebSocket.OPEN && state;
    bar.hidden = isNotes();
    bar.style.colorScheme = board.style.colorScheme = getComputedStyle(document.querySelector(".stApp")).colorScheme;
    const now = JSON.stringify([text, isOn && [isPresenter(), state.leading, state.code], follows(), sessionStorage.getItem(CHOICE)]);
    if (now !== drawn) {
      drawn = now;
      sentence.textContent = text;
      buttons.replaceChildren(...listButtons(isOn));
    }
    tick();
  };

  const tick = () => {
    const left = state?.ends_at == null ? null : Math.round(state.ends_at - Date.now() / 1000 - clock);
    const text = (seconds) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    timer.textContent = left === null ? "" : left > 0 ? text(left) : "Time is up";
    timer.classList.toggle("hg-over", left !== null && left <= 0);
  };

  const showCode = () => {
    const isShown = isPresenter() && state.code && !isNotes();
    if (isShown && !board.open) {
      const code = make("img", { src: "/room/code.svg", alt: "QR code of the address above" });
      board.replaceChildren(make("p", {}, state.join), code, makeButton("Close", () => board.close()));
      board.onclose = () => send("hide code");
      board.showModal();
    } else if (!isShown && board.open) {
      board.onclose = null;
      board.close();
    }
  };

  const hear = (told) => {
    const isFirst = seen === null;
    const wasPresenter = isPresenter();
    const isAnother = state !== null && state.room !== told.room;
    if (state && told.shown > state.shown && (follows() || isPresenter())) {
      isRevealed = true;
      seen = null;
    }
    state = { ...told, wasAway: state?.wasAway || (!isFirst && state?.isOld) };
    clock = told.now - Date.now() / 1000;
    if (calls === null || isAnother) calls = told.calls;
    if (isAnother) {
      seen = told.version;
      const link = wasPresenter ? " The presenter's link in the terminal is a new one." : "";
      tell(`The room has started anew.${link}`);
    } else if (isNotes() || (isPresenter() && isFirst)) seen = told.version;
    else if (isFirst && !follows()) seen = told.version;
    else if (told.version !== seen && (follows() || isPresenter())) {
      calls = told.calls;
      go();
    }
    showCode();
    draw();
  };

  const connect = () => {
    stream = new WebSocket(`${location.protocol.replace("http", "ws")}//${location.host}/room/stream`);
    stream.onopen = () => {
      wait = 1;
      if (follows()) send("follow");
    };
    stream.onmessage = ({ data }) => hear(JSON.parse(data));
    stream.onclose = () => {
      if (state) state.isOld = true;
      // Thirty browsers come back one after the other.
      setTimeout(connect, 1000 * wait * (0.5 + Math.random()));
      wait = Math.min(2 * wait, LONGEST_WAIT);
      draw();
    };
  };

  setInterval(() => (bar.hidden !== isNotes() ? draw() : tick()), 500);
  connect();
}
