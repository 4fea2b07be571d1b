// The tools of the redraw desk: what a click, a drawn line or a key means while one of them is chosen.
(function () {
  "use strict";
  if (!window.planDesk) return;
  const { root, said, state, hear, edit, preview, forget, pick, map, draws, border } = planDesk;
  const { inside, mostly, neighbours, middle, off, rings } = planShapes;
  const $ = (id) => document.getElementById(id);
  const form = (name) => document.querySelector(`.plan-options[data-tool="${name}"]`);
  const DRAWN = { snappable: true, snapDistance: 14, allowSelfIntersection: false, tooltips: false, finishOn: "dblclick", continueDrawing: false,
    templineStyle: { color: "#7a0f3c", weight: 3, pmIgnore: true }, hintlineStyle: { color: "#7a0f3c", dashArray: "6 5", pmIgnore: true }, pathOptions: { pmIgnore: true, snapIgnore: true } };
  const UNFINISHED = ["LineEndsInside", "LineMissing"]; // no faults of a line that is still being drawn
  let tool = "select";
  let drawing = ""; // the shape geoman draws just now

  const quietly = (promise) => promise.catch(() => {}); // what is refused has been told already
  const codes = (feature) => feature.properties.code;
  const places = (layer) => layer.getLatLngs().flat().map(({ lat, lng }) => [lng, lat]);

  /** Let geoman draw a line or a ring, and do something with its places; and with those of the line in the hand. */
  function draw(kind, act, meanwhile) {
    stopDrawing();
    map.pm.enableDraw(kind, DRAWN);
    drawing = kind;
    if (hand) map.pm.Draw[kind]._hintMarker.setLatLng(hand); // not in the middle of the map
    if (meanwhile) map.on("mousemove", (following = () => inHand(meanwhile))); // after geoman's own, which snaps
    map.once("pm:create", ({ layer }) => {
      layer.remove();
      map.off("mousemove", following);
      drawing = "";
      quietly(Promise.resolve(act(places(layer)))).finally(() => { if (TOOLS[tool].draws === kind && !drawing) draw(kind, act, meanwhile); });
    });
  }

  let following = () => {};
  let hand = null; // where the pointer was last
  map.on("mousemove", ({ latlng }) => { hand = latlng; });
  map.on("pm:intersect", () => { if (drawing) planDesk.say(said.crosses, true); });

  /** What is drawn so far, and on to where the hand is. */
  function inHand(act) {
    const { _layer: begun, _hintMarker: end, _doesSelfIntersect: crossed } = map.pm.Draw[drawing];
    const placed = begun ? places(begun) : [];
    if (placed.length && !crossed) act([...placed, planDesk.place(end.getLatLng())]);
    else forget();
  }

  function stopDrawing() {
    map.off("pm:create");
    map.off("mousemove", following);
    map.pm.disableDraw();
    drawing = "";
  }

  /** Keep an edit, and return the codes that were not there before. */
  async function born(kind, args) {
    const before = new Set(state.units.keys());
    await edit(kind, args);
    return [...state.units.keys()].filter((code) => !before.has(code));
  }

  /** The unit a line is to cut: the one picked if the line meets it, else the one it mostly runs through. */
  function cut(line) {
    const chosen = state.picked.length === 1 ? state.units.get(state.picked[0]) : null;
    const feature = (chosen && mostly([chosen], line)) || mostly(state.units.values(), line);
    return feature && codes(feature);
  }

  const toggle = (code) => pick(state.picked.includes(code) ? state.picked.filter((each) => each !== code) : [...state.picked, code]);

  // ---- a lasso: buildings to a neighbour -------------------------------------------------------------

  let ring = [];
  let rope = null;

  function pull(latlng) {
    ring.push(planDesk.place(latlng));
    const line = ring.map(([lng, lat]) => [lat, lng]);
    rope = rope ? rope.setLatLngs(line) : L.polygon(line, { pane: "plan-hand", color: "#7a0f3c", weight: 2, dashArray: "4 4", fillOpacity: 0.1, interactive: false, pmIgnore: true, snapIgnore: true }).addTo(map);
  }

  function catchHouses(more) {
    const found = ring.length > 2 ? planDesk.housesIn([...ring, ring[0]]) : [];
    letGo();
    hold(more ? [...planDesk.taken(), ...found] : found);
  }

  function letGo() {
    ring = [];
    rope?.remove();
    rope = null;
  }

  /** Take buildings into the hand, and offer the neighbours of their units. */
  function hold(houses) {
    const held = [...new Set(houses)].filter((code) => !state.units.get(state.buildings.get(code)?.properties.home)?.properties.locked);
    planDesk.take(held);
    forget();
    const homes = new Set(held.map((code) => state.buildings.get(code).properties.home));
    const households = held.reduce((sum, code) => sum + (state.buildings.get(code).properties.households || 0), 0);
    const around = new Set([...homes].flatMap((home) => (state.units.has(home) ? neighbours(state.units.values(), state.units.get(home)) : [])));
    const far = nearness(held);
    const to = [...around].filter((code) => (homes.size > 1 || !homes.has(code)) && !state.units.get(code).properties.locked).sort((a, b) => far(a) - far(b));
    $("lasso-said").textContent = held.length ? said.taken.replace("{n}", held.length).replace("{households}", households) : said.noHouses;
    $("lasso-to").replaceChildren(...to.map((code) => Object.assign(document.createElement("option"), { value: code, textContent: named(code) })));
    for (const field of form("lasso").querySelectorAll("select, button")) field.disabled = !to.length || !held.length;
    if (to.length) TOOLS.lasso.changed();
  }

  /** How far units are from buildings in the hand: the nearest neighbour is offered first. */
  function nearness(houses) {
    const places = houses.map((code) => middle(state.buildings.get(code)));
    const kept = new Map();
    return (code) => {
      if (!kept.has(code)) kept.set(code, rings(state.units.get(code)).reduce((least, ring) => Math.min(least, ...places.map((place) => off(ring, place))), Infinity));
      return kept.get(code);
    };
  }

  const named = (code) => planDesk.named(state.units.get(code).properties);

  async function move(to) {
    await edit("move", { buildings: planDesk.taken(), to });
    hold([]);
    pick([to]);
  }

  /** A press that moves draws the lasso; one that doesn't is a click. */
  const press = {
    down(event) {
      if (event.button || event.target.closest(".leaflet-control")) return;
      letGo();
      press.from = event;
    },
    move(event) {
      if (!press.from || (!rope && Math.hypot(event.clientX - press.from.clientX, event.clientY - press.from.clientY) < 6)) return;
      pull(map.mouseEventToLatLng(event));
    },
    up(event) {
      const { from } = press;
      press.from = null;
      if (!from || !rope) return;
      catchHouses(event.shiftKey);
      press.pulled = true; // the click that follows belongs to it
    },
  };

  /** Offer the communities the plan has, which a transfer to another street gives other codes. */
  function communities() {
    const { value } = $("transfer-to");
    $("transfer-communities").replaceChildren(...Object.entries(state.plan.parents).map(([code, name]) => Object.assign(document.createElement("option"), { value: code, textContent: `${name} ${code}` })));
    if (value) $("transfer-to").value = value;
  }
  hear("loaded reread", communities);

  // ---- the table of tools ----------------------------------------------------------------------------

  const TOOLS = {
    select: {
      click: (feature, event) => { if (!feature) pick([]); else if (event.more) toggle(codes(feature)); else pick([codes(feature)]); },
    },
    split: {
      draws: "Line",
      start: () => draw("Line", async (line) => {
        const code = cut(line);
        if (!code) return planDesk.say(said.nowhere, true);
        pick([code, ...(await born("split", { code, line }))]);
      }, (line) => {
        const code = cut(line);
        if (code && !inside(state.units.get(code), line.at(-1))) preview("split", { code, line }, UNFINISHED);
        else forget(); // on its way to the other side
      }),
    },
    merge: {
      click: (feature) => feature && toggle(codes(feature)),
      picked: (found) => {
        const button = form("merge").querySelector("button");
        button.disabled = found.length < 2;
        $("merge-first").textContent = found.length ? said.stays.replace("{code}", named(found[0])) : "";
      },
      submit: () => edit("merge", { codes: state.picked }),
    },
    border: {
      start: () => { if (state.picked.length === 2) border.take(...state.picked); },
      stop: () => border.drop(),
      click: (feature, { latlng }) => {
        const found = border.near(latlng);
        if (found) border.take(...found, planDesk.place(latlng));
      },
      picked: (found) => { form("border").querySelector("button").disabled = found.length !== 2; },
      submit: () => {
        const [one, two] = state.picked;
        border.drop();
        draw("Line", async (line) => { await edit("reshape", { one, two, line }); border.take(one, two); });
        map.getContainer().focus();
      },
    },
    lasso: {
      start: () => {
        map.dragging.disable();
        for (const [name, act] of [["pointerdown", press.down], ["pointermove", press.move], ["pointerup", press.up]]) map.getContainer().addEventListener(name, act);
        hold([]);
      },
      stop: () => {
        map.dragging.enable();
        for (const [name, act] of [["pointerdown", press.down], ["pointermove", press.move], ["pointerup", press.up]]) map.getContainer().removeEventListener(name, act);
        letGo();
        hold([]);
      },
      click: (feature, event) => {
        if (press.pulled) { press.pulled = false; return; }
        const held = planDesk.taken();
        const target = feature && codes(feature);
        if (held.length && [...$("lasso-to").options].some(({ value }) => value === target) && !event.more) { quietly(move(target)); return; }
        const house = planDesk.buildingAt(event.latlng)?.properties.code;
        if (house) hold(held.includes(house) ? held.filter((code) => code !== house) : [...held, house]);
      },
      changed: () => preview("move", { buildings: planDesk.taken(), to: $("lasso-to").value }),
      submit: () => move($("lasso-to").value),
      point: pull,
      finish: () => catchHouses(true),
    },
    found: {
      draws: "Polygon",
      start: () => draw("Polygon", async (places) => {
        const fields = new FormData(form("found"));
        const body = { ring: [...places, places[0]] };
        for (const name of ["new", "parent"]) if (fields.get(name)) body[name] = fields.get(name).trim();
        pick(await born("found", body));
        form("found").reset();
      }),
    },
    label: {
      click: (feature) => feature && pick([codes(feature)]),
      picked: ([code]) => {
        const fields = form("label");
        fields.elements.name.value = code ? state.units.get(code).properties.name || "" : "";
        fields.elements.new.value = code || "";
        for (const field of fields.elements) field.disabled = !code && field.value !== "renumber";
      },
      submit: async (fields, button) => {
        if (button.value === "renumber") { pick(await born("renumber", {})); return; }
        const [code] = state.picked;
        const [name, next] = [fields.get("name").trim(), fields.get("new").trim()];
        if (name !== (state.units.get(code).properties.name || "")) await edit("rename", { code, name });
        if (next && next !== code) { await edit("recode", { code, new: next }); pick([next]); }
      },
    },
    transfer: {
      click: (feature) => feature && toggle(codes(feature)),
      picked: (found) => { form("transfer").querySelector("button").disabled = !found.length || !$("transfer-to").value; },
      submit: async (fields) => {
        const whole = $("transfer-to").selectedOptions[0].hasAttribute("data-street"); // communities go to a street as wholes
        const chosen = state.picked.map((code) => (whole ? state.units.get(code).properties.parent_code : code));
        const came = await born("transfer", { codes: [...new Set(chosen)], to: fields.get("to") });
        await planDesk.reread();
        pick(came);
      },
    },
    repair: {
      click: (feature) => feature && toggle(codes(feature)),
      submit: (fields, button) => {
        const args = { measure: fields.get("measure") };
        for (const name of ["low", "high", "within_m"]) if (fields.get(name)) args[name] = Number(fields.get(name));
        if (state.picked.length) args.codes = state.picked;
        return button.value === "look" ? preview("repair", args) : edit("repair", args);
      },
    },
    lock: {
      click: (feature) => feature && quietly(planDesk.lock([codes(feature)])),
      submit: (_fields, button) => planDesk.lockAll(button.value === "all"),
    },
  };

  function choose(name) {
    if (!TOOLS[name] || (name !== "select" && !draws())) return;
    stopDrawing();
    TOOLS[tool].stop?.();
    forget();
    tool = name;
    for (const button of root.querySelectorAll("[data-choose]")) button.setAttribute("aria-pressed", String(button.dataset.choose === name));
    for (const each of root.querySelectorAll(".plan-options")) each.hidden = each.dataset.tool !== name;
    root.dataset.tool = name;
    planDesk.say("");
    TOOLS[name].start?.();
    TOOLS[name].picked?.(state.picked);
  }

  // ---- hands -----------------------------------------------------------------------------------------

  function click(event) {
    if (drawing || !state.plan) return;
    const original = event.originalEvent;
    if (original?.target?.closest?.(".leaflet-marker-icon")) return; // a handle of a border
    TOOLS[tool].click?.(planDesk.unitAt(event.latlng), { latlng: event.latlng, more: Boolean(original?.ctrlKey || original?.shiftKey || original?.metaKey) });
  }
  map.on("click", click);
  map.doubleClickZoom.disable();

  root.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-choose]");
    if (button) choose(button.dataset.choose);
  });
  root.addEventListener("submit", (event) => {
    if (!event.target.matches(".plan-options")) return;
    event.preventDefault();
    quietly(Promise.resolve(TOOLS[tool].submit?.(new FormData(event.target), event.submitter)));
  });
  $("lasso-to").addEventListener("change", () => TOOLS.lasso.changed());
  hear("chosen", ({ code, more }) => {
    const feature = state.units.get(code);
    if (!feature) return;
    if (tool === "lock") { quietly(planDesk.lock([code])); return; }
    if (more || ["merge", "transfer", "repair"].includes(tool)) toggle(code);
    else pick([code]);
    planDesk.look(code);
  });
  hear("picked changed loaded", () => TOOLS[tool].picked?.(state.picked));
  hear("loaded claimed", () => { if (!draws()) choose("select"); });
  hear("changed", () => { if (tool === "lasso" && !planDesk.taken().length) hold([]); });

  // ---- keys: the middle of the map is the pen ----------------------------------------------------------

  let keyed = false; // the pen is led by keys just now, not by a pointer

  /** Do at the middle of the map what a pointer does. */
  function pen(...names) {
    const latlng = map.getCenter();
    for (const name of names) map.fire(name, { latlng, containerPoint: map.latLngToContainerPoint(latlng), layerPoint: map.latLngToLayerPoint(latlng) });
  }
  map.on("moveend", () => { if (drawing && keyed) pen("mousemove"); }); // the line follows the pen
  map.getContainer().addEventListener("pointermove", () => { keyed = false; });

  const KEYS = {
    Enter() {
      if (drawing) pen("mousemove", "click");
      else if (TOOLS[tool].point) TOOLS[tool].point(map.getCenter());
      else click({ latlng: map.getCenter() });
    },
    Backspace() {
      if (!drawing) return;
      map.pm.Draw[drawing]._removeLastVertex();
      pen("mousemove");
    },
    f() { if (drawing) map.pm.Draw[drawing]._finishShape(); else TOOLS[tool].finish?.(); },
    Escape() { choose("select"); pick([]); },
  };
  map.getContainer().addEventListener("keydown", (event) => {
    keyed = true;
    if (event.target !== map.getContainer() || event.ctrlKey || event.metaKey || event.altKey || !KEYS[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    KEYS[event.key]();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !document.querySelector("dialog[open]") && tool !== "select") choose("select");
    if (event.ctrlKey || event.metaKey || event.altKey || !document.activeElement?.matches("body, main, .leaflet-container")) return;
    const button = root.querySelector(`[data-choose][aria-keyshortcuts="${CSS.escape(event.key.toUpperCase())}"]`);
    if (button) { event.preventDefault(); choose(button.dataset.choose); }
  });
  map.getContainer().setAttribute("tabindex", "0");
  map.keyboard?._setPanDelta?.(20); // the pen is moved by the arrow keys

  planDesk.choose = choose;
})();
