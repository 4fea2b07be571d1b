// The map of the redraw desk: units and buildings as they stand, what an edit would bring over them, names, what is picked.
(function () {
  "use strict";
  if (!window.planDesk) return;
  const { state, hear, unit, units, colour } = planDesk;
  const { inside, at, middle, box, parting } = planShapes;
  const map = window.gridmgrMap;
  const MOST_NAMES = 120;
  const MOST_TAGS = 8; // a repair of many is read in the bars
  const MOST_PARTED = 1500; // units; in a whole district the borders of communities follow when it is read again
  const BUILDINGS_FROM = 15; // the zoom from which buildings of a plan of thousands are drawn
  const PANES = { around: 350, units: 400, parents: 405, changed: 410, today: 415, buildings: 420, chosen: 430, blamed: 440, hand: 450 };
  const style = {
    wide: { color: "#6b7a8a", weight: 2, opacity: 0.6, fillColor: "#eceff3", fillOpacity: 0.5 },
    around: { color: "#8a97a5", weight: 1, opacity: 0.7, fillColor: "#dfe4ea", fillOpacity: 0.5 },
    unit: { color: "#33475b", weight: 1.4, opacity: 0.9, dashArray: null, fillOpacity: 0.62 },
    parents: { color: "#1f3a5f", weight: 3.5, opacity: 0.9 },
    locked: { color: "#5b6875", weight: 1.4, dashArray: "5 4", fillOpacity: 0.3 },
    building: { color: "#4b4138", weight: 0.5, fillColor: "#6d6259", fillOpacity: 0.65 },
    taken: { color: "#7a0f3c", weight: 1.5, fillColor: "#d81b60", fillOpacity: 0.9 },
    picked: { color: "#00408a", weight: 4, opacity: 1, fill: false },
    blamed: { color: "#c8102e", weight: 4, opacity: 1, fillColor: "#c8102e", fillOpacity: 0.35 },
    today: { color: "#c8102e", weight: 1.5, opacity: 0.9, dashArray: "5 4", fill: false },
    ghost: { color: "#a8430c", weight: 3, opacity: 1, dashArray: "8 5", fillOpacity: 0.7 },
  };

  const renderers = {};
  for (const [name, height] of Object.entries(PANES)) {
    const pane = map.createPane("plan-" + name);
    pane.style.zIndex = height;
    pane.style.pointerEvents = "none"; // clicks are the map's; places are looked up in the data
    if (name !== "hand" && name !== "today") renderers[name] = L.canvas({ pane: "plan-" + name, padding: 0.3 });
  }

  const drawn = new Map(); // code → layer
  const houses = new Map();
  const groups = Object.fromEntries(Object.keys(renderers).map((name) => [name, L.layerGroup().addTo(map)]));
  const names = L.layerGroup().addTo(map);
  const tags = L.layerGroup().addTo(map); // the numbers an edit would bring, where the hand is
  let taken = new Set(); // buildings in the hand

  const shape = (feature, options, pane) => {
    const layer = L.GeoJSON.geometryToLayer(feature);
    L.setOptions(layer, { pane: "plan-" + pane, renderer: renderers[pane], interactive: false, pmIgnore: true, snapIgnore: true, ...options });
    return layer;
  };

  const dress = ({ properties }) => ({ ...style.unit, ...(state.units.size > MOST_PARTED ? { weight: 0.5 } : {}), ...(properties.locked ? style.locked : {}), fillColor: colour(properties) });

  function put(code) {
    drawn.get(code)?.remove();
    drawn.delete(code);
    const feature = state.units.get(code);
    if (feature) drawn.set(code, shape(feature, { ...dress(feature), snapIgnore: false }, "units").addTo(groups.units));
  }

  function recolour() {
    for (const [code, layer] of drawn) {
      const now = dress(state.units.get(code));
      if (layer.options.fillColor !== now.fillColor || layer.options.fillOpacity !== now.fillOpacity) layer.setStyle(now);
    }
    preview();
  }

  function house(feature) {
    const { code } = feature.properties;
    const layer = shape(feature, taken.has(code) ? style.taken : style.building, "buildings").addTo(groups.buildings);
    houses.set(code, layer);
  }

  /** Where communities meet: as the plan has it, not as it is today. */
  function parents(anew = false) {
    if (state.units.size > MOST_PARTED && !anew) return; // read with the plan, not with every edit
    groups.parents.clearLayers();
    const lines = parting(state.units.values()).map((segment) => segment.map(([lng, lat]) => [lat, lng]));
    if (lines.length) L.polyline(lines, { ...style.parents, pane: "plan-parents", renderer: renderers.parents, interactive: false, pmIgnore: true, snapIgnore: true }).addTo(groups.parents);
  }

  /** Buildings: all of a community at once; of a whole district those in sight, from close by. */
  function buildings() {
    const many = state.buildings.size > 3000;
    if (!many && houses.size === state.buildings.size) return;
    groups.buildings.clearLayers();
    houses.clear();
    if (many && map.getZoom() < BUILDINGS_FROM) return;
    const sight = map.getBounds().pad(0.1);
    for (const feature of state.buildings.values()) {
      const [west, south, east, north] = box(feature);
      if (!many || sight.intersects([[south, west], [north, east]])) house(feature);
    }
  }

  function label() {
    names.clearLayers();
    const sight = map.getBounds();
    const seen = units().map((feature) => [feature, middle(feature)]).filter(([, [x, y]]) => sight.contains([y, x]));
    if (seen.length > MOST_NAMES) return;
    for (const [feature, [x, y]] of seen) {
      const { name, code, locked } = feature.properties;
      const html = gridmgr.element("span", locked ? "plan-locked" : "", name && wide(feature) > 15 * name.length ? name : code.slice(-3));
      written([x, y], html).addTo(names);
    }
  }

  /** How many pixels wide a unit is drawn. */
  function wide(feature) {
    const [west, south, east] = box(feature);
    return map.latLngToContainerPoint([south, east]).x - map.latLngToContainerPoint([south, west]).x;
  }

  function outline() {
    groups.chosen.clearLayers();
    for (const code of state.picked) { const feature = unit(code); if (feature) shape(feature, style.picked, "chosen").addTo(groups.chosen); }
  }

  /** What an edit would bring lies over what is, until it is kept or dropped. */
  function preview() {
    groups.changed.clearLayers();
    tags.clearLayers();
    const changing = [...(state.ghost?.units.values() || [])].filter(planDesk.felt); // not who only gets a vertex
    for (const feature of changing) shape(feature, { ...dress(feature), ...style.ghost, fillColor: colour(feature.properties) }, "changed").addTo(groups.changed);
    if (changing.length <= MOST_TAGS) tag(changing);
    outline();
  }

  /** Write the numbers of units on them, each a line below the one to its north. */
  function tag(features) {
    const places = features.map((feature) => [middle(feature), feature.properties]).sort(([one], [two]) => two[1] - one[1]);
    for (const [n, [place, properties]] of places.entries()) {
      const html = gridmgr.element("span", "plan-tag", planDesk.inShort(properties));
      html.style.marginTop = `${Math.round((n - (places.length - 1) / 2) * 22)}px`;
      written(place, html).addTo(tags);
    }
  }

  const written = ([x, y], html) => L.marker([y, x], { icon: L.divIcon({ html, className: "plan-label", iconSize: [0, 0] }), interactive: false, keyboard: false, pmIgnore: true, snapIgnore: true });

  function draw() {
    for (const group of Object.values(groups)) group.clearLayers();
    drawn.clear();
    houses.clear();
    for (const feature of state.around?.features || []) {
      const wide = feature.properties.level === "community";
      shape(feature, wide ? style.wide : { ...style.around, snapIgnore: false }, "around").addTo(groups.around);
    }
    for (const code of state.units.keys()) put(code);
    parents(true);
    label();
    preview();
  }

  /** Show what a refusal names: a unit, a building, or a place. */
  function blame({ details = {} }) {
    clear();
    const { code, building, one, two, lon, lat } = details;
    for (const each of [code, building, one, two]) {
      const feature = state.units.get(each) || state.buildings.get(each);
      if (feature) shape(feature, style.blamed, "blamed").addTo(groups.blamed);
    }
    if (typeof lon === "number" && typeof lat === "number") L.circleMarker([lat, lon], { ...style.blamed, radius: 9, pane: "plan-blamed", renderer: renderers.blamed, interactive: false, pmIgnore: true, snapIgnore: true }).addTo(groups.blamed);
  }
  const clear = () => groups.blamed.clearLayers();

  /** Show which buildings are in the hand. */
  function take(codes) {
    const before = taken;
    taken = new Set(codes);
    for (const code of new Set([...before, ...taken])) houses.get(code)?.setStyle(taken.has(code) ? style.taken : style.building);
  }

  /** Let what is drawn snap to the borders of units, or not. */
  function snaps(codes, on) {
    for (const code of codes) if (drawn.has(code)) drawn.get(code).options.snapIgnore = !on;
  }

  const place = ({ lng, lat }) => [lng, lat];
  const unitAt = (latlng) => at(state.units.values(), place(latlng));
  const buildingAt = (latlng) => at(state.buildings.values(), place(latlng));

  /** Buildings whose middle lies within a ring of [lon, lat]. */
  function housesIn(ring) {
    const area = { geometry: { type: "Polygon", coordinates: [ring] }, properties: {} };
    return [...state.buildings.values()].filter((feature) => inside(area, middle(feature))).map((feature) => feature.properties.code);
  }

  map.fitBounds(gridmgr.data.bounds, gridmgr.ROOM);
  hear("loaded", draw);
  hear("changed", ({ codes, gone }) => { for (const code of [...gone, ...codes]) put(code); recolour(); parents(); label(); });
  hear("housed", buildings);
  hear("previewed", () => { clear(); preview(); });
  hear("unfit refused", (refused) => { preview(); blame(refused); });
  hear("picked saved", clear);
  hear("picked", outline);
  hear("coloured", recolour);
  hear("locked", () => { recolour(); label(); });
  map.on("moveend", () => { if (!state.plan) return; buildings(); label(); });

  // The borders of today can be laid over the plan; they are off to begin with.
  for (const layer of Object.values(gridmgr.layers)) {
    map.removeLayer(layer);
    layer.options.pane = "plan-today";
    layer.options.vectorTileLayerStyles = { micro_grid: style.today };
  }
  document.addEventListener("gridmgr:feature", (event) => event.preventDefault());
  const today = document.getElementById("plan-today");
  today?.addEventListener("change", () => {
    for (const layer of Object.values(gridmgr.layers)) if (today.checked) layer.addTo(map); else map.removeLayer(layer);
  });

  function look(code) {
    const feature = unit(code);
    if (!feature) return;
    const [west, south, east, north] = box(feature);
    if (!map.getBounds().contains([[south, west], [north, east]])) map.fitBounds([[south, west], [north, east]], { padding: [80, 80], maxZoom: map.getZoom() });
  }

  Object.assign(planDesk, { map, take, unitAt, buildingAt, housesIn, look, place, snaps, taken: () => [...taken] });
})();
