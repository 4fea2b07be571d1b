// The wall: views one after another, each kept from its last good answer. It never leaves its page, so that a lost
// server is said in large letters instead of shown as an error of the browser.
(function () {
  "use strict";
  const { seconds, zone, said, views } = JSON.parse(document.getElementById("wall-data").textContent);
  const $ = (id) => document.getElementById(id);
  const lang = document.documentElement.lang;
  const map = window.gridmgrMap;
  const { signs, labels } = gridmgr.data.incidents;
  const kept = views.map(() => null); // the last good content of each view
  const PULSE = 10000; // milliseconds between two questions whether the server is there
  const PATIENCE = 12000; // so long an answer may take
  const RETRY = [2000, 3000, 5000, 8000, 10000];
  let shown = -1;
  let stopped = false;
  let turning = 0;
  let ahead = 0; // how far the server's clock is ahead of this one
  let heard = Date.now(); // when the server was last heard
  let lost = null; // {since, kind} while it is not
  let tries = 0;
  let pulsing = 0;
  let painted = "";

  // ---- what the server says --------------------------------------------------------------------

  /** An answer of our server, or why there is none: "lost", or "ended" where the session is over. */
  async function asked(url, accept) {
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), PATIENCE);
    try {
      if (navigator.onLine === false) throw new Error("off line");
      const answer = await fetch(url, { signal: patience.signal, cache: "no-store", headers: { Accept: accept, "HX-Request": "true" } });
      if (answer.status === 401 || answer.headers.has("HX-Redirect")) throw "ended";
      if (!answer.ok) throw answer.status === 404 ? "none" : "lost";
      return accept === "application/json" ? await answer.json() : await answer.text();
    } catch (why) {
      throw typeof why === "string" ? why : "lost";
    } finally {
      clearTimeout(timer);
    }
  }

  /** Fetch a view with the cases on its map; what was kept stays if anything of it does not come. */
  async function fill(number) {
    const page = new DOMParser().parseFromString(await asked(views[number].url, "text/html"), "text/html");
    const content = page.body.firstElementChild;
    const block = content.querySelector("[data-map]");
    const drawn = block && JSON.parse(block.textContent);
    block?.remove();
    const { items, categories } = drawn?.incidents ? await asked(drawn.incidents, "application/json") : { items: [] };
    kept[number] = { content, drawn, items, categories, at: Date.now() };
  }

  async function pulse() {
    clearTimeout(pulsing);
    try {
      const now = await asked("/api/pulse", "application/json");
      ahead = new Date(now.at) - Date.now();
      for (const box of document.querySelectorAll("[data-count]")) box.textContent = now[box.dataset.count].toLocaleString(lang);
      pulse.version ??= now.version;
      if (now.version !== pulse.version) note("old");
      found();
    } catch (why) {
      lose(why);
    }
    pulsing = setTimeout(pulse, lost ? RETRY[Math.min(tries++, RETRY.length - 1)] : PULSE);
  }

  // ---- lost and found --------------------------------------------------------------------------

  const clockOf = (at) => new Intl.DateTimeFormat(lang, { timeZone: zone, hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }).format(at);
  const stamp = (at) => clockOf(new Date(at + ahead));
  function lasting(milliseconds) {
    const all = Math.max(0, Math.round(milliseconds / 1000));
    const [h, m, s] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60].map((each) => String(each).padStart(2, "0"));
    return `${h}:${m}:${s}`;
  }

  /** Say a message in both languages over the whole width. */
  function tell(key, values) {
    const box = $("wall-told");
    const lines = Object.entries(said[key]).map(([language, text]) => {
      const line = gridmgr.element("p", "", text.replace(/{(\w+)}/g, (_, name) => values[name]));
      line.lang = language;
      return line;
    });
    box.dataset.kind = key;
    box.replaceChildren(...lines);
    box.hidden = false;
  }

  function lose(why) {
    if (why === "none") return;
    if (lost?.kind !== why) lost = { since: lost?.since || heard, kind: why };
    document.documentElement.classList.add("lost");
    mourn();
  }
  function mourn() {
    if (!lost) return;
    const oldest = kept[shown]?.at || heard;
    tell(lost.kind, { since: stamp(lost.since), for: lasting(Date.now() - lost.since), at: stamp(Math.min(oldest, heard)) });
  }

  /** The server answers: if it was lost, say so for a while and bring everything up to date. */
  function found() {
    heard = Date.now();
    tries = 0;
    if (!lost) return;
    lost = null;
    document.documentElement.classList.remove("lost");
    tell("back", { at: stamp(heard) });
    setTimeout(() => { if (!lost) $("wall-told").hidden = true; }, 8000);
    renew(shown);
  }

  /** Fetch a view anew and show it if it is the one that is seen. */
  async function renew(number) {
    if (number < 0) return;
    try {
      await fill(number);
      if (number === shown) draw();
    } catch (why) {
      lose(why);
    }
  }

  // ---- one view --------------------------------------------------------------------------------

  function draw() {
    const view = kept[shown];
    const stage = $("wall-view");
    document.body.dataset.kind = view?.drawn ? "map" : "whole";
    if (!view) {
      stage.replaceChildren(gridmgr.element("p", "wall-none", said.never[lang.slice(0, 2)] || said.never.en));
      return;
    }
    $("wall-title").textContent = view.content.dataset.title;
    $("wall-sub").textContent = view.content.dataset.sub;
    stage.replaceChildren(view.content);
    if (view.drawn) onMap(view);
    note();
  }

  function onMap({ drawn, items, categories }) {
    map.invalidateSize({ pan: false, animate: false });
    map.fitBounds(drawn.box, gridmgr.ROOM);
    const layer = gridmgr.layers[drawn.level];
    if (painted && painted !== drawn.level) gridmgr.recolour(gridmgr.layers[painted], {}, {});
    if (layer) gridmgr.recolour(layer, drawn.values, drawn.palette);
    painted = drawn.level;
    gridmgr.addIncidents(map, gridmgr.cluster, items, signs, labels, categories);
  }

  /** A small word at the foot: how old what is seen is, that it is stopped, that there is a new version. */
  function note(key = "") {
    const mine = (name, values = {}) => (said[name][lang.slice(0, 2)] || said[name].en).replace(/{(\w+)}/g, (_, each) => values[each]);
    const view = kept[shown];
    if (key) note.old = mine(key);
    $("wall-note").textContent = [stopped && mine("paused"), view && mine("as_of", { at: stamp(view.at) }), note.old].filter(Boolean).join(" · ");
  }

  // ---- one after another -----------------------------------------------------------------------

  async function go(number) {
    clearTimeout(turning);
    shown = (number + views.length) % views.length;
    for (const dot of document.querySelectorAll("[data-view]")) dot.toggleAttribute("aria-current", Number(dot.dataset.view) === shown);
    const mine = shown;
    if (kept[mine]) draw();
    if (!lost && (!kept[mine] || Date.now() - kept[mine].at > 1000 * seconds)) await renew(mine);
    if (mine !== shown) return;
    if (!kept[mine]) draw();
    turn();
  }

  /** Turn to the next view after its time; shortly before, fetch it, so that it stands there at once. */
  function turn() {
    clearTimeout(turning);
    if (stopped) return;
    const next = (shown + 1) % views.length;
    const early = Math.min(4000, seconds * 500);
    turning = setTimeout(async () => {
      if (!lost) fill(next).catch(lose);
      turning = setTimeout(() => go(next), early);
    }, seconds * 1000 - early);
  }

  function stop(on) {
    stopped = on;
    const button = $("wall-stop");
    button.textContent = on ? button.dataset.go : button.dataset.stop;
    button.setAttribute("aria-pressed", String(on));
    if (on) clearTimeout(turning); else turn();
    note();
  }

  const full = () => (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen()).catch(() => {});
  const KEYS = { " ": () => stop(!stopped), ArrowRight: () => go(shown + 1), ArrowLeft: () => go(shown - 1), f: full, F: full };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || !(event.key in KEYS)) return;
    if (event.key === " " && event.target.matches("button, a, summary")) return;
    if (event.target.closest(".leaflet-container") && event.key.startsWith("Arrow")) return;
    event.preventDefault();
    KEYS[event.key]();
  });
  document.addEventListener("click", ({ target }) => {
    const dot = target.closest("[data-view]");
    if (dot) go(Number(dot.dataset.view));
  });
  $("wall-stop").addEventListener("click", () => stop(!stopped));
  $("wall-full").addEventListener("click", full);
  window.addEventListener("offline", () => lose("lost"));
  window.addEventListener("online", pulse);

  // The tools come out when somebody is there, and go again.
  let alone = 0;
  function awake() {
    document.body.classList.add("awake");
    clearTimeout(alone);
    alone = setTimeout(() => document.body.classList.remove("awake"), 5000);
  }
  for (const sign of ["pointermove", "keydown", "focusin"]) document.addEventListener(sign, awake);

  // ---- the clock, and the names on the map -----------------------------------------------------

  const hands = new Intl.DateTimeFormat(lang, { timeZone: zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const dates = new Intl.DateTimeFormat(lang, { timeZone: zone, month: "long", day: "numeric", weekday: "long" });
  function tick() {
    const now = new Date(Date.now() + ahead);
    $("wall-time").textContent = hands.format(now);
    $("wall-date").textContent = dates.format(now);
    mourn();
  }

  async function names() {
    const found = await asked("/map/labels", "application/json").catch(() => null);
    map.createPane("names").className += " map-names";
    for (const [name, lon, lat] of found?.street || []) {
      const icon = L.divIcon({ html: gridmgr.element("span", "", name), className: "map-name street", iconSize: [0, 0] });
      L.marker([lat, lon], { icon, pane: "names", interactive: false, keyboard: false }).addTo(map);
    }
  }

  document.addEventListener("gridmgr:feature", (event) => event.preventDefault());
  window.gridmgrWall = { go, stop, pulse }; // for whoever steers a wall from outside, and for tests
  tick();
  setInterval(tick, 1000);
  awake();
  pulse();
  names();
  go(0);
})();
