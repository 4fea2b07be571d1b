// The numbers of a plan: as colours, as bars, as a table, as totals and what would change; all follow the hand.
(function () {
  "use strict";
  if (!window.planDesk) return;
  const { root, given, said, state, hear, pick, unit, units, totals, changes } = planDesk;
  const { element } = gridmgr;
  const $ = (id) => document.getElementById(id);
  const lang = document.documentElement.lang;
  const columns = new Map(given.numbers.map((column) => [column.key, column]));
  const MOST_BESIDE = 3; // units whose numbers stand side by side
  const MOST_ROWS = 600; // of bars and table; a whole district has thousands
  let shown = given.colour;
  let breaks = []; // kept while one draws, so that colours don't jump under the hand
  let sorted = { key: "code", down: false };

  // ---- how a number is said ------------------------------------------------------------------------

  const collator = new Intl.Collator(lang, { numeric: true });
  const formats = new Map();
  function format(digits) {
    if (!formats.has(digits)) formats.set(digits, new Intl.NumberFormat(lang, { minimumFractionDigits: digits, maximumFractionDigits: digits }));
    return formats.get(digits);
  }
  const signed = new Intl.NumberFormat(lang, { style: "percent", signDisplay: "exceptZero", maximumFractionDigits: 0 });

  function say(key, value) {
    const column = columns.get(key) || {};
    if (value === null || value === undefined) return "—";
    if (column.kind === "share") return signed.format(value);
    if (column.kind === "class") return given.bands[value]?.label ?? String(value);
    if (column.kind === "yes") return value ? said.yes : said.no;
    return format(column.digits || 0).format(column.kind === "hectares" ? value / 1e4 : value);
  }

  /** The end of a unit's code and its households: what fits on the map beside the hand. */
  const inShort = ({ code, households }) => `${code.slice(-3)} · ${said.homes.replace("{n}", say("households", households))}`;

  // ---- colours -------------------------------------------------------------------------------------

  /** The classes of the number shown: [{label, colour}], and which one a value is in. */
  const SCALES = {
    share: { classes: () => given.balance, of: (value) => {
      const far = [0.05, 0.2].filter((edge) => Math.abs(value) > edge).length;
      return 2 + Math.sign(value) * far;
    } },
    class: { classes: () => Object.values(given.bands).sort((a, b) => a.rank - b.rank), of: (value) => given.bands[value]?.rank },
    yes: { classes: () => given.contiguity, of: (value) => (value ? 0 : 1) },
  };
  const COUNTED = { classes: () => given.counts.map((colour, n) => ({ colour, label: range(n) })), of: (value) => breaks.filter((edge) => value > edge).length };
  const scale = () => SCALES[columns.get(shown).kind] || COUNTED;

  function range(n) {
    if (n && breaks[n] === breaks[n - 1]) return "";
    if (n === breaks.length) return `> ${say(shown, breaks[n - 1])}`;
    return n ? `${say(shown, breaks[n - 1])} – ${say(shown, breaks[n])}` : `≤ ${say(shown, breaks[0])}`;
  }

  function measure() {
    const values = [...state.units.values()].map(({ properties }) => properties[shown]).filter((value) => typeof value === "number").sort((a, b) => a - b);
    breaks = [1, 2, 3, 4].map((n) => values[Math.min(values.length - 1, Math.floor((n * values.length) / 5))] ?? 0);
  }

  /** What fills a unit. */
  function colour(properties) {
    const found = scale().of(properties[shown]);
    return scale().classes()[found]?.colour || "#ffffff";
  }

  function legend() {
    $("plan-legend").replaceChildren(...scale().classes().filter(({ label }) => label).map(({ colour: fill, label }) => {
      const row = element("li");
      const sign = element("span", "map-sign");
      Object.assign(sign.dataset, { shape: "swatch" });
      sign.style.setProperty("--sign", fill);
      row.append(sign, element("span", "", label));
      return row;
    }));
  }

  /** A unit by name and code; a new one has no other name yet. */
  const named = ({ name, code }) => (name && name !== code ? `${name} ${code}` : code);

  // ---- bars ----------------------------------------------------------------------------------------

  const title = ({ properties: { name, code } }) => (name && name !== code ? name : `…${code.slice(-6)}`); // the end tells them apart

  /** Rows in the order chosen; of many the picked ones and those far from the mean first. */
  function rows() {
    const { key, down } = sorted;
    const sought = $("plan-find").value.trim().toLowerCase();
    const found = units().map((feature) => feature.properties).filter(({ code, name }) => !sought || code.includes(sought) || (name || "").toLowerCase().includes(sought));
    const way = down ? -1 : 1;
    const order = (a, b) => (typeof a[key] === "number" && typeof b[key] === "number" ? a[key] - b[key] : collator.compare(a[key] ?? "", b[key] ?? "")) * way;
    if (found.length > MOST_ROWS) {
      const near = (each) => (state.picked.includes(each.code) ? Infinity : Math.abs(each.deviation));
      found.sort((a, b) => near(b) - near(a));
      found.length = MOST_ROWS;
    }
    return found.sort(order);
  }

  const moving = (code) => (state.ghost?.units.has(code) ? state.units.get(code)?.properties : null);

  function bar(properties, most, middle) {
    const row = element("button", "plan-bar");
    row.type = "button";
    row.dataset.code = properties.code;
    row.setAttribute("aria-pressed", String(state.picked.includes(properties.code)));
    const way = element("span", "plan-way");
    const fill = element("span", "plan-fill");
    const value = typeof properties[shown] === "number" ? properties[shown] : 0;
    const part = most ? Math.min(1, Math.abs(value) / most) : 0;
    fill.style.setProperty("--part", `${100 * part * (middle ? 0.5 : 1)}%`);
    fill.style.setProperty("--from", middle ? `${50 - (value < 0 ? 50 * part : 0)}%` : "0%");
    fill.style.setProperty("--sign", colour(properties));
    way.append(fill);
    if (middle) way.classList.add("middle");
    const number = element("span", "num", say(shown, properties[shown]));
    const before = moving(properties.code);
    if (before && before[shown] !== properties[shown]) number.prepend(element("s", "", say(shown, before[shown])), " → ");
    if (properties.locked) row.title = said.locked;
    row.append(element("span", `plan-name${properties.locked ? " plan-locked" : ""}`, title({ properties })), way, number);
    if (properties.changed) row.dataset.changed = properties.changed;
    return row;
  }

  function bars() {
    const kind = columns.get(shown).kind;
    const found = rows();
    const values = found.map((each) => Math.abs(typeof each[shown] === "number" ? each[shown] : 0));
    const middle = kind === "share" || kind === "class";
    const most = kind === "share" ? Math.min(1, Math.max(0.2, ...values)) : Math.max(0, ...values); // one grid far off would flatten all others
    const here = document.activeElement?.closest?.(".plan-bar")?.dataset.code;
    $("plan-bars").replaceChildren(...found.map((each) => bar(each, most, middle)));
    rove($("plan-bars"));
    if (here) document.querySelector(`.plan-bar[data-code="${CSS.escape(here)}"]`)?.focus();
  }

  // ---- keys: each list is one stop of the Tab key, and arrows go up and down in it -----------------------

  const stops = new Map(); // list → the code one was at last
  const stepped = (list) => [...list.querySelectorAll("button[data-code]")];

  function rove(list) {
    const all = stepped(list);
    const here = all.find((each) => each.dataset.code === stops.get(list)) || all[0];
    for (const each of all) each.tabIndex = each === here ? 0 : -1;
  }

  function roving(list) {
    list.addEventListener("focusin", ({ target }) => { stops.set(list, target.dataset.code); rove(list); });
    list.addEventListener("keydown", (event) => {
      const all = stepped(list);
      const at = all.indexOf(document.activeElement);
      const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
      if (at < 0 || !all[to]) return;
      event.preventDefault();
      all[to].focus();
    });
  }
  for (const list of [$("plan-bars"), $("plan-rows")]) roving(list);

  // ---- the table -----------------------------------------------------------------------------------

  function head() {
    const shownColumns = [{ key: "code", title: said.code }, { key: "name", title: said.name }, ...given.numbers, { key: "changed", title: said.changed }];
    $("plan-head").replaceChildren(...shownColumns.map(({ key, title: text, kind }) => {
      const cell = element("th", kind || columns.has(key) ? "num" : "");
      const button = element("button", "plain", text);
      button.type = "button";
      button.dataset.sort = key;
      if (sorted.key === key) cell.setAttribute("aria-sort", sorted.down ? "descending" : "ascending");
      cell.scope = "col";
      cell.append(button);
      return cell;
    }));
  }

  function table() {
    if ($("plan-table").hidden) return;
    $("plan-rows").replaceChildren(...rows().map((properties) => {
      const row = element("tr");
      row.dataset.code = properties.code;
      if (state.picked.includes(properties.code)) row.setAttribute("aria-selected", "true");
      const first = element("td");
      const button = element("button", "plain code", properties.code);
      Object.assign(button, { type: "button" });
      button.dataset.code = properties.code;
      button.setAttribute("aria-pressed", String(state.picked.includes(properties.code)));
      first.append(button);
      row.append(first, element("td", properties.locked ? "plan-locked" : "", properties.name || ""));
      for (const { key } of given.numbers) row.append(element("td", "num", say(key, properties[key])));
      row.append(element("td", "", properties.changed ? said.fates[properties.changed] || properties.changed : ""));
      return row;
    }));
    rove($("plan-rows"));
  }

  // ---- totals and what would change ------------------------------------------------------------------

  function facts(list, entries, told) {
    list.replaceChildren(...entries.flatMap(({ key, title: text, ...how }) => {
      const value = key.split(".").reduce((from, part) => from?.[part], told);
      if (value === undefined) return [];
      const cell = element("dd", "num", Array.isArray(value) ? format(0).format(value.length) : value === null ? "—" : how.kind === "share" ? signed.format(value).replace(/^[+]/, "±") : format(how.digits || 0).format(how.kind === "hectares" ? value / 1e4 : value));
      if (Array.isArray(value) && value.length) cell.title = value.slice(0, 30).join(", ");
      if (how.bad && (Array.isArray(value) ? value.length : value)) cell.classList.add("late");
      return [element("dt", "", text), cell];
    }));
  }

  /** Whether an edit would change more of a unit than a vertex a neighbour needs. */
  function felt({ properties }) {
    const before = state.units.get(properties.code)?.properties;
    return !before || before.households !== properties.households || before.buildings !== properties.buildings || Math.abs(before.area_m2 - properties.area_m2) > 1;
  }

  /** The units the card tells of: those an edit would change, if they are few, else those picked. */
  function told() {
    const changing = state.ghost ? [...state.ghost.units.values()].filter(felt) : [];
    const found = changing.length && changing.length <= MOST_BESIDE ? changing : state.picked.map(unit).filter(Boolean);
    return found.map((feature) => feature.properties);
  }

  function card() {
    const box = $("plan-picked");
    const found = told();
    box.hidden = found.length === 0;
    if (!found.length) return;
    const many = found.length > 1, summed = many && !state.ghost; // while the hand moves, the sum stays
    $("plan-picked-name").textContent = many ? said.picked.replace("{n}", found.length) : named(found[0]);
    const sums = Object.fromEntries(given.numbers.filter(({ sum }) => sum).map(({ key }) => [key, found.reduce((sum, each) => sum + (each[key] || 0), 0)]));
    const beside = found.length <= MOST_BESIDE ? found : [];
    const head = element("tr");
    head.append(element("td"), ...beside.map(({ code }) => element("th", "num", `…${code.slice(-3)}`)), ...(summed ? [element("th", "num", said.sum)] : []));
    $("plan-picked-head").replaceChildren(...(many ? [head] : []));
    $("plan-picked-facts").replaceChildren(...given.numbers.filter(({ sum }) => sum || beside.length).map(({ key, title: text }) => {
      const row = element("tr");
      const name = element("th", "", text);
      name.scope = "row";
      row.append(name, ...beside.map((each) => change(key, each)), ...(summed ? [element("td", "num", key in sums ? say(key, sums[key]) : "")] : []));
      return row;
    }));
  }

  /** A number of a unit, with what it was before the hand moved. */
  function change(key, properties) {
    const cell = element("td", "num", say(key, properties[key]));
    const before = moving(properties.code);
    if (before && say(key, before[key]) !== say(key, properties[key])) cell.prepend(element("s", "", say(key, before[key])));
    return cell;
  }

  function draw() {
    facts($("plan-totals"), given.totals, totals());
    facts($("plan-changes"), given.changes, changes());
    bars();
    table();
    card();
    root.classList.toggle("previewing", Boolean(state.ghost));
  }

  function show(key) {
    if (!columns.has(key)) return;
    shown = key;
    measure();
    legend();
    planDesk.tell("coloured");
    draw();
  }

  // ---- hands ---------------------------------------------------------------------------------------

  document.addEventListener("click", ({ target, ctrlKey, shiftKey, metaKey }) => {
    const sort = target.closest("[data-sort]");
    if (sort) {
      sorted = { key: sort.dataset.sort, down: sorted.key === sort.dataset.sort ? !sorted.down : columns.has(sort.dataset.sort) };
      head();
      document.querySelector(`[data-sort="${CSS.escape(sorted.key)}"]`)?.focus();
      draw();
      return;
    }
    const row = target.closest(".plan-bar, #plan-rows button[data-code]");
    if (row) planDesk.tell("chosen", { code: row.dataset.code, more: ctrlKey || shiftKey || metaKey });
  });
  $("plan-colour").addEventListener("change", ({ target }) => show(target.value));
  $("plan-order").addEventListener("change", ({ target }) => {
    sorted = target.value === "value" ? { key: shown, down: true } : { key: "code", down: false };
    draw();
  });
  $("plan-find").addEventListener("input", draw);
  $("plan-table-open").addEventListener("click", ({ currentTarget }) => {
    const closed = !$("plan-table").hidden;
    $("plan-table").hidden = closed;
    currentTarget.setAttribute("aria-expanded", String(!closed));
    root.classList.toggle("tabled", !closed);
    table();
    window.gridmgrMap.invalidateSize({ pan: false });
  });
  hear("loaded", () => { head(); show($("plan-colour").value); });
  hear("changed previewed picked", draw);

  Object.assign(planDesk, { colour, felt, inShort, named, numberSaid: say, titleOf: title });
})();
