// The live map: it hears what changes, applies it in place, says when it has lost the server and when it is back.
//   gridmgr.live.ask()     follow the present filters: load their incidents, then hear what changes
//   gridmgr.live.pause()   hear nothing for a while, such as while an earlier time is shown
//   gridmgr.live.resume()  end a pause; whoever ends it asks for what is there now, else it goes on by itself
// The page hears gridmgr:lost and gridmgr:back, both with {since}: when the last word came.
(function () {
  "use strict";
  const SILENT_MS = 40000; // the server says something every 15 s; a line silent for so long is dead
  const AGAIN_MS = 5000; // when the browser has given up
  const HURRY_MS = 2500; // no longer do incidents wait for the first word
  const SPREAD_MS = 8000; // screens that load anew do so one after another
  const BACK_MS = 8000; // so long it is said that the server is back
  const ASTRAY = 3; // figures in a row that say another number than there are marks
  const note = document.getElementById("live");
  const map = window.gridmgrMap;
  const asked = () => document.getElementById("asked").dataset;
  const chosen = (name) => document.querySelector(`#filters [name=${name}]`).value;
  const clock = new Intl.DateTimeFormat("sv-SE", { timeZone: note.dataset.zone, timeStyle: "medium" });
  let stream = null;
  let mark = ""; // how far it has heard
  let state = "new";
  let heardAt = Date.now();
  let paused = false;
  let anew = false; // the incidents are to be loaded on the first word
  let astray = 0;
  let applied = Promise.resolve();
  let loaded = Promise.resolve();
  let [watching, retrying, hurrying] = [0, 0, 0];

  // ---- what is said ----------------------------------------------------------------------------

  function say(now, text) {
    state = now;
    note.dataset.state = now;
    note.querySelector("span").textContent = (text ?? note.dataset[now]).replace("{time}", clock.format(heardAt));
  }

  function lost(text) {
    if (state === "lost" || state === "paused") return;
    say("lost", text);
    document.dispatchEvent(new CustomEvent("gridmgr:lost", { detail: { since: new Date(heardAt) } }));
  }

  function back() {
    const since = new Date(heardAt);
    const was = state;
    heardAt = Date.now();
    if (was === "back") return;
    if (was !== "lost") { say("live"); return; }
    say("back");
    setTimeout(() => { if (state === "back") say("live"); }, BACK_MS);
    document.dispatchEvent(new CustomEvent("gridmgr:back", { detail: { since } }));
  }

  // ---- the stream ------------------------------------------------------------------------------

  function close() {
    if (stream) stream.close();
    stream = null;
    for (const timer of [watching, retrying, hurrying]) clearTimeout(timer);
  }

  function open() {
    if (stream || paused || document.hidden) return;
    const given = new URLSearchParams(asked().query);
    given.set("level", chosen("level"));
    given.set("colour", chosen("colour"));
    if (mark && !anew) given.set("after", mark);
    stream = new EventSource("/situation/stream?" + given);
    for (const [name, act] of Object.entries(ACTS)) stream.addEventListener(name, (event) => heard(event, act));
    stream.onerror = () => {
      lost();
      if (stream && stream.readyState === EventSource.CLOSED) again(AGAIN_MS);
    };
    watch();
  }

  function again(wait) {
    close();
    retrying = setTimeout(open, wait);
  }

  function watch() {
    clearTimeout(watching);
    watching = setTimeout(() => { lost(); again(0); }, SILENT_MS);
  }

  function heard(event, act) {
    mark = event.lastEventId || mark;
    watch();
    if (act !== ACTS.away && act !== ACTS.end) back(); // a line that only seemed lost says no hello
    act(JSON.parse(event.data));
  }

  const ACTS = {
    hello() { if (anew) load(); },
    change: (told) => inTurn(() => gridmgr.changeIncidents(told)),
    figures: (told) => { showFigures(told); compare(told); },
    colours: (told) => { if (told && !paused) gridmgr.paint(told); },
    reload: () => setTimeout(load, Math.random() * SPREAD_MS),
    away: () => lost(),
    alive() {},
    again: () => again(Math.random() * 1000),
    end() { close(); lost(note.dataset.ended); },
  };

  // ---- incidents -------------------------------------------------------------------------------

  /** Do something once all that was to be done before it is done, and the incidents are loaded. */
  function inTurn(act) {
    applied = applied.then(() => loaded).then(act).catch((error) => { console.error(error); });
    return applied;
  }

  function load() {
    anew = false;
    clearTimeout(hurrying);
    if (paused) return;
    const { signs, labels } = gridmgr.data.incidents;
    loaded = gridmgr.loadIncidents(map, gridmgr.cluster, asked().incidents, signs, labels);
  }

  function ask() {
    close();
    anew = true;
    open();
    hurrying = setTimeout(() => { load(); anew = true; }, stream ? HURRY_MS : 0);
  }

  /** Load anew if, again and again, there are more or fewer marks than cases: a mark whose case has left our sight. */
  function compare({ all }) {
    inTurn(() => {
      astray = gridmgr.complete && all !== gridmgr.shown() ? astray + 1 : 0;
      if (astray >= ASTRAY) { astray = 0; setTimeout(load, Math.random() * SPREAD_MS); }
    });
  }

  // ---- figures ---------------------------------------------------------------------------------

  const many = (number) => number.toLocaleString("en-US");
  function write(node, text) {
    if (!node || node.textContent === text) return;
    node.textContent = text;
    node.classList.remove("fresh");
    void node.offsetWidth; // so that the same animation begins again
    node.classList.add("fresh");
  }

  function showFigures({ all, open: unfinished, overdue, rate, states }) {
    if (paused) return;
    const figure = (name) => document.querySelector(`#strip [data-figure=${name}]`);
    write(figure("all"), many(all));
    write(figure("open"), many(unfinished));
    write(figure("overdue"), many(overdue));
    write(figure("rate"), rate === null ? "—" : `${(rate * 100).toFixed(2)} %`);
    figure("overdue").closest("a").classList.toggle("alarm", overdue > 0);
    for (const [name, number] of Object.entries(states)) write(document.getElementById("count-" + name), many(number));
    gridmgr.tell("figures", { all, open: unfinished, overdue, rate, states });
  }

  // ---- when nobody looks, when another time is shown -------------------------------------------

  function pause() {
    paused = true;
    close();
    say("paused");
  }

  function resume() {
    if (!paused) return;
    paused = false;
    say("live");
    again(AGAIN_MS);
  }

  // A page in the background holds no connection; when it is seen again it catches up.
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", ({ persisted }) => { if (persisted) open(); });
  window.addEventListener("offline", () => lost());
  window.addEventListener("online", () => { if (!stream) open(); });

  gridmgr.live = { ask, pause, resume, get state() { return state; }, get mark() { return mark; } };
  ask();
})();
