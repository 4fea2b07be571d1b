// The time slider: one answer holds a whole period; every step of it is drawn here, without asking again.
(function () {
  "use strict";
  const bar = document.getElementById("timebar");
  const map = window.gridmgrMap;
  if (!bar || !map) return;
  const $ = (id) => document.getElementById(id);
  const said = JSON.parse($("time-words").textContent);
  const form = $("time-period");
  const range = $("time-range");
  const strip = $("past-strip").content.firstElementChild;
  const { zone } = bar.dataset;
  const lang = document.documentElement.lang;
  const { signs, labels } = gridmgr.data.incidents;
  const HOURS = { hour: 1, day: 24, week: 168 };
  const OVER = new Set(["closed", "evaluated", "voided", "merged"]);
  const PLAIN = { fill: true, fillOpacity: 0.65, weight: 0.5, color: "#5f6b78", opacity: 0.7 };
  let played = null; // the period, unpacked
  let now = 0; // the step shown
  let timer = 0;
  let asking = null;

  // ---- wall time in the district's zone --------------------------------------------------------

  const wall = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" });
  const told = new Intl.DateTimeFormat(lang, { timeZone: zone, year: "numeric", month: "long", day: "numeric", weekday: "long", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const local = (date) => wall.format(date).replace(" ", "T");
  /** A wall time so many days after the midnight of a day. */
  const midnight = (date, days = 0) => {
    const day = new Date(wall.format(date).slice(0, 10) + "T00:00Z");
    day.setUTCDate(day.getUTCDate() + days);
    return day.toISOString().slice(0, 16);
  };
  const PRESETS = {
    day: (at) => [local(new Date(at - 864e5)), local(at), "hour"],
    yesterday: (at) => [midnight(at, -1), midnight(at), "hour"],
    days: (at) => [midnight(at, -6), local(at), "hour"],
    week: (at) => {
      const weekday = (new Date(midnight(at) + "Z").getUTCDay() + 6) % 7;
      return [midnight(at, -weekday - 7), midnight(at, -weekday), "hour"];
    },
    month: (at) => {
      const first = new Date(midnight(at).slice(0, 8) + "01T00:00Z");
      const before = new Date(first);
      before.setUTCMonth(first.getUTCMonth() - 1);
      return [before, first].map((each) => each.toISOString().slice(0, 16)).concat("day");
    },
  };

  // ---- cases as they stood ---------------------------------------------------------------------

  /** Let the columns of an answer play: `how` of each case is kept at the step shown. */
  function unpack(answer) {
    const { changes } = answer;
    const many = answer.instants.length;
    const starts = new Int32Array(many + 1); // where the changes of a step begin
    for (const step of changes.step) starts[step + 1] += 1;
    for (let n = 0; n < many; n += 1) starts[n + 1] += starts[n];
    const moves = new Map();
    for (const [number, step, unit] of answer.moved) moves.set(step, [...(moves.get(step) || []), [number, unit]]);
    return { ...answer, starts, moves, many, how: null, unit: null, at: -1, scale: [], filled: {} };
  }

  /** Bring every case to a step: on from where it is, or anew from the beginning. */
  function stand(step) {
    if (step < played.at || !played.how) {
      played.how = new Int8Array(played.cases.number.length).fill(-1);
      played.unit = Int32Array.from(played.cases.unit);
      played.at = -1;
    }
    while (played.at < step) {
      played.at += 1;
      for (let n = played.starts[played.at]; n < played.starts[played.at + 1]; n += 1) played.how[played.changes.case[n]] = played.changes.how[n];
      for (const [number, unit] of played.moves.get(played.at) || []) played.unit[number] = unit;
    }
  }

  const isOver = (how) => OVER.has(played.states[how >> 1]);
  const isSeen = (number) => played.how[number] >= 0 && (!isOver(played.how[number]) || played.cases.reported[number] === now);
  const boxes = () => [...document.querySelectorAll("#board input[name=states]")];

  /** What the ticked states and "only overdue" leave of what is to be seen. */
  function wanted() {
    const ticked = boxes().filter((box) => box.checked).map((box) => box.value);
    const states = new Set(ticked.length ? ticked : played.states);
    const late = document.querySelector("#filters input[name=overdue]")?.checked;
    return (number) => isSeen(number) && states.has(played.states[played.how[number] >> 1]) && (!late || played.how[number] & 1);
  }

  const past = gridmgr.past(signs, () => ({ states: played.states, cases: played.cases, how: played.how, fits: wanted() }));

  // ---- the units -------------------------------------------------------------------------------

  /** How many cases each unit counts at the step shown. */
  function counted() {
    const found = {};
    if (!played.complete) {
      for (const [code, { open }] of Object.entries(played.numbers)) if (open[now]) found[code] = open[now];
      return found;
    }
    played.how.forEach((_, number) => {
      const code = played.units[played.unit[number]];
      if (code && isSeen(number)) found[code] = (found[code] || 0) + 1;
    });
    return found;
  }

  /** Five classes that hold for every step of the period, so that colours can be compared over time. */
  function scale() {
    const all = [];
    for (const step of [0, 0.25, 0.5, 0.75, 1].map((share) => Math.round(share * (played.many - 1)))) {
      now = step;
      stand(step);
      all.push(...Object.values(counted()));
    }
    all.sort((a, b) => a - b);
    const lows = [0, 0.4, 0.7, 0.9, 0.97].map((share) => all[Math.floor(share * (all.length - 1))] || 1);
    return [...new Set([1, ...lows.slice(1)])];
  }

  /** As many colours as there are classes, from over the whole scale. */
  const spread = () => played.scale.map((_, n) => said.counts[Math.floor(((n + 0.5) * said.counts.length) / played.scale.length)]);

  function paint() {
    const layer = gridmgr.layers[played.level];
    const stamp = played.editions.findLast(([step]) => step <= now)[1];
    wear(stamp);
    const colours = spread();
    const fresh = {};
    for (const [code, many] of Object.entries(counted())) fresh[code] = colours[played.scale.findLastIndex((low) => low <= many)];
    for (const code of Object.keys(played.filled)) if (!(code in fresh)) layer.resetFeatureStyle(code);
    for (const [code, colour] of Object.entries(fresh)) {
      if (played.filled[code] !== colour) layer.setFeatureStyle(code, { ...PLAIN, fillColor: colour });
    }
    played.filled = fresh;
  }

  let worn = null; // the stamp of the map shown, if it is another than the live one
  const LIVE = Object.fromEntries(Object.entries(gridmgr.layers).map(([level, layer]) => [level, layer._url]));
  /** Show the units of the map that was in force; null: of the live one. */
  function wear(stamp) {
    const live = (LIVE.street || "").includes(`/${stamp}/`);
    const wish = live ? null : stamp;
    if (wish === worn) return;
    worn = wish;
    for (const [level, layer] of Object.entries(gridmgr.layers)) {
      if (layer.setUrl) layer.setUrl(wish ? LIVE[level].replace(/(\/tiles\/[^/]+\/)[^/]+/, `$1${wish}`) : LIVE[level]);
    }
  }

  function key() {
    if (!played.total) return $("time-key").replaceChildren(said.none);
    const text = (played.complete ? said.few : said.many).replace("{n}", played.total.toLocaleString(lang));
    const colours = spread();
    const swatches = played.scale.map((low, n) => {
      const sign = gridmgr.element("span", "map-sign");
      sign.dataset.shape = "swatch";
      sign.style.setProperty("--sign", colours[n]);
      const high = played.scale[n + 1];
      const item = gridmgr.element("span", "time-class");
      item.append(sign, high === undefined ? `${low}+` : high - 1 > low ? `${low}–${high - 1}` : String(low));
      return item;
    });
    $("time-key").replaceChildren(text, ...swatches);
  }

  // ---- the step shown --------------------------------------------------------------------------

  /** The numbers of the instant, in the strip and beside the states. */
  function count() {
    const states = {};
    let [reported, open, late] = [0, 0, 0];
    if (played.complete) {
      played.how.forEach((how, number) => {
        if (how < 0) return;
        reported += played.cases.reported[number] === now;
        if (isSeen(number)) states[played.states[how >> 1]] = (states[played.states[how >> 1]] || 0) + 1;
        if (!isOver(how)) { open += 1; late += how & 1; }
      });
      for (const state of played.states) {
        const number = $("count-" + state);
        if (number) number.textContent = (states[state] || 0).toLocaleString(lang);
      }
    } else {
      for (const unit of Object.values(played.numbers)) { reported += unit.reported[now]; open += unit.open[now]; }
      late = null;
    }
    return { reported, open, late };
  }

  function show(step) {
    now = Math.max(0, Math.min(played.many - 1, step));
    if (played.complete) stand(now);
    if (played.complete) past.draw();
    paint();
    const at = new Date(played.instants[now]);
    strip.querySelector("time").textContent = told.format(at);
    strip.querySelector("time").dateTime = played.instants[now];
    for (const [name, value] of Object.entries(count())) {
      strip.querySelector(`[data-past=${name}]`).textContent = value === null ? "—" : value.toLocaleString(lang);
    }
    range.value = now;
    range.setAttribute("aria-valuetext", told.format(at));
    if (!timer) note();
    document.dispatchEvent(new CustomEvent("gridmgr:step", { detail: { step: now, at: played.instants[now] } }));
  }

  /** Keep the instant in the address, and in the filters' form, which writes the address too. */
  function note() {
    const values = { then: played ? played.instants[now].slice(0, 16) : "", from: played ? form.from.value : "", to: played ? form.to.value : "", step: played ? form.step.value : "", by: played && form.by.value !== "recorded" ? form.by.value : "" };
    const address = new URL(location.href);
    for (const [name, value] of Object.entries(values)) {
      $("time-" + name).value = value;
      if (value) address.searchParams.set(name, value); else address.searchParams.delete(name);
    }
    history.replaceState(history.state, "", address);
  }

  // ---- playing ---------------------------------------------------------------------------------

  const button = $("time-play");
  function play(on) {
    clearInterval(timer);
    timer = 0;
    if (on && played) {
      if (now >= played.many - 1) show(0);
      timer = setInterval(() => (now >= played.many - 1 ? play(false) : show(now + 1)), 1000 / form.speed.value);
    } else if (played) note();
    button.textContent = timer ? button.dataset.pause : button.dataset.play;
    button.setAttribute("aria-pressed", String(Boolean(timer)));
  }

  // ---- past and live ---------------------------------------------------------------------------

  async function load(at = "") {
    play(false);
    const query = new URLSearchParams(document.getElementById("asked").dataset.query);
    for (const name of ["states", "open", "overdue"]) query.delete(name);
    for (const name of ["from", "to", "step", "by"]) query.set(name, form[name].value);
    query.set("level", document.querySelector("#filters [name=level]")?.value || "micro_grid");
    $("time-table").href = "/timeline?" + query;
    asking?.abort();
    asking = new AbortController();
    const { signal } = asking;
    $("time-key").textContent = said.loading;
    const answer = await fetch("/api/map/timeline?" + query, { signal }).catch(() => null);
    if (signal.aborted) return;
    const found = answer && (await answer.json().catch(() => null));
    if (!answer?.ok) {
      $("time-key").textContent = found?.detail || said.failed;
      return;
    }
    if (played) leave();
    played = unpack(found);
    enter();
    const step = at ? played.instants.findIndex((each) => each.slice(0, 16) >= at) : 0;
    show(step < 0 ? played.many - 1 : step);
  }

  function enter() {
    range.max = played.many - 1;
    document.body.classList.add("in-past");
    if (!strip.isConnected) document.getElementById("stage").before(strip);
    window.gridmgr.live?.pause?.();
    map.removeLayer(gridmgr.cluster);
    for (const layer of Object.values(gridmgr.layers)) if (layer.coloured) gridmgr.recolour(layer, {}, {});
    played.scale = scale();
    key();
    stand(0);
    if (played.complete) past.addTo(map);
    map.invalidateSize({ pan: false });
  }

  /** Take everything of the past off the map. */
  function leave() {
    past.remove();
    for (const code of Object.keys(played.filled)) gridmgr.layers[played.level].resetFeatureStyle(code);
    played = null;
  }

  function live() {
    play(false);
    asking?.abort();
    if (!played) return;
    leave();
    wear((LIVE.street || "").split("/")[3]);
    document.body.classList.remove("in-past");
    strip.remove();
    $("time-key").textContent = "";
    gridmgr.cluster.addTo(map);
    note();
    window.gridmgr.live?.resume?.();
    htmx.trigger("#filters", "refresh"); // numbers, cases and colours of the present
    map.invalidateSize({ pan: false });
  }

  function open(on) {
    $("time-controls").hidden = !on;
    $("time-open").setAttribute("aria-expanded", String(on));
    bar.classList.toggle("open", on);
    map.invalidateSize({ pan: false });
  }

  function preset(name) {
    const [from, to, step] = PRESETS[name](new Date());
    Object.assign(form.from, { value: from });
    form.to.value = to;
    form.step.value = step;
  }

  // ---- hands and keys --------------------------------------------------------------------------

  $("time-open").addEventListener("click", () => {
    const on = $("time-controls").hidden;
    open(on);
    if (on) load(); else live();
  });
  $("time-close").addEventListener("click", () => { live(); open(false); $("time-open").focus(); });
  strip.addEventListener("click", ({ target }) => { if (target.closest("[data-live]")) { live(); open(false); $("time-open").focus(); } });
  button.addEventListener("click", () => play(!timer));
  range.addEventListener("input", () => { play(false); if (played) show(Number(range.value)); });
  bar.addEventListener("click", ({ target }) => {
    const way = target.closest("[data-go]");
    if (!way || !played) return;
    play(false);
    show(now + (way.dataset.go === "on" ? 1 : -1));
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", ({ target }) => {
    if (target.name === "speed") { if (timer) play(true); return; }
    if (target.name === "preset" && target.value !== "own") preset(target.value);
    else if (target.name === "from" || target.name === "to") form.preset.value = "own";
    if (form.reportValidity()) load(played ? played.instants[now].slice(0, 16) : "");
  });
  document.addEventListener("keydown", (event) => {
    if (!played || event.ctrlKey || event.altKey || event.metaKey) return;
    const { target } = event;
    const typing = target.matches("input:not(#time-range), select, textarea, button, a, summary, [contenteditable]");
    if (event.key === " " && !typing) { event.preventDefault(); play(!timer); return; }
    if (!bar.contains(target) || typing || target === range) return;
    if (event.key === "ArrowRight") show(now + 1);
    if (event.key === "ArrowLeft") show(now - 1);
  });

  // Other filters: the same period of other cases. The map has loaded its live ones meanwhile, which stay hidden.
  document.addEventListener("htmx:afterSwap", ({ target }) => {
    if (target.id === "asked" && played) load(played.instants[now].slice(0, 16));
  });
  // The live colours come after; the past is painted over them.
  document.addEventListener("gridmgr:coloured", () => {
    if (!played) return;
    for (const layer of Object.values(gridmgr.layers)) if (layer.coloured) gridmgr.recolour(layer, {}, {});
    played.filled = {};
    paint();
  });

  // A click asks for the case as it stood then, not for the place as it is now.
  map.getContainer().addEventListener("click", (event) => {
    if (!played || event.target.closest(".leaflet-control, .leaflet-popup")) return;
    event.stopPropagation();
    if (map.dragging.moved() || !played.complete) return;
    const point = map.mouseEventToContainerPoint(event);
    const number = past.at(point);
    if (number === undefined) return;
    const how = played.how[number];
    const state = played.states[how >> 1];
    const rows = [[gridmgr.words.number, played.cases.number[number]], [gridmgr.words.state, (labels[state] || state) + (how & 1 ? " · " + said.late : "")]];
    const box = gridmgr.element("div", "map-card");
    box.append(gridmgr.element("strong", "", played.categories[played.cases.category[number]]));
    box.append(gridmgr.element("p", "quiet", told.format(new Date(played.instants[now]))));
    for (const [title, text] of rows) box.append(gridmgr.element("p", "", `${title} ${text}`));
    const link = gridmgr.element("a", "", gridmgr.words.open);
    link.href = "/incidents/" + encodeURIComponent(played.cases.number[number]);
    box.append(link);
    L.popup().setLatLng([played.cases.lat[number], played.cases.lon[number]]).setContent(box).openOn(map);
  }, true);

  // ---- from the address ------------------------------------------------------------------------

  preset("days");
  const given = new URL(location.href).searchParams;
  // `at` is where the map stands, unless it is an instant.
  const at = given.get("then") || given.get("at") || "";
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(at) || given.get("from")) {
    const day = new Date((at || local(new Date())).slice(0, 10) + "T12:00Z");
    form.preset.value = "own";
    form.from.value = given.get("from") || midnight(day, -3);
    form.to.value = given.get("to") || midnight(day, 4);
    form.step.value = given.get("step") in HOURS ? given.get("step") : "hour";
    form.by.value = given.get("by") === "occurred" ? "occurred" : "recorded";
    open(true);
    load(at.includes("T") ? at.slice(0, 16) : "");
  }
})();
