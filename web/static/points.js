// Incidents on a map: their marks, which say state, lateness, source and severity, clusters of them, and changes in place.
(function () {
  "use strict";
  const SLICE = 2000; // marks added at a time, so that the page stays awake
  const SPREAD = 60; // marks of one place drawn as a spiral; more than that are a list
  const SIZES = [18, 14, 18, 24]; // pixels by severity
  const WHISTLED = 1, SUPERVISED = 2;
  const { element, fetched } = gridmgr;
  const known = new Map(); // id → mark
  const icons = new Map(); // one icon for all that look alike
  let names = {}; // categories by id
  let drawing = 0;
  Object.assign(gridmgr, { states: new Map(), drawing: 0, drawn: Promise.resolve() });

  // ---- marks -----------------------------------------------------------------------------------

  const SignIcon = L.DivIcon.extend({
    createIcon(old) {
      const node = L.DivIcon.prototype.createIcon.call(this, old);
      const { sign, source, severity, lateness, marks } = this.options;
      node.dataset.shape = sign.shape;
      node.style.setProperty("--sign", sign.colour);
      if (source) node.dataset.source = source;
      if (severity) node.dataset.severity = severity;
      const more = [lateness && `map-age age-${lateness}`, marks & WHISTLED && "map-flag whistled", marks & SUPERVISED && "map-flag supervised"];
      node.append(...more.filter(Boolean).map((name) => element("i", name)));
      return node;
    },
  });

  function icon(sign, { source, severity, lateness, marks } = {}) {
    const key = [sign.colour, sign.shape, source, severity, lateness, marks].join();
    if (!icons.has(key)) {
      const size = SIZES[severity] || SIZES[0];
      icons.set(key, new SignIcon({ sign, source, severity, lateness, marks, className: "map-sign", iconSize: [size, size], html: false }));
    }
    return icons.get(key);
  }

  /** An incident of a row: of a map's list ([…, category, source, severity, lateness, marks]) or of a page's own. */
  function incident(row, mapped) {
    const [id, number, lon, lat, state, category] = row;
    if (!mapped) return { id, number, lon, lat, state, category, title: row[6], url: row[7] };
    const [, , , , , , source, severity, lateness, marks] = row;
    return { id, number, lon, lat, state, category: names[category] || "", url: "/incidents/" + encodeURIComponent(number), source, severity, lateness, marks };
  }

  /** What an incident's mark says beside its state, in words. */
  function said({ source, severity, lateness, marks }) {
    const words = gridmgr.data.incidents.words || {};
    return [
      words.severity?.[severity], words.source?.[source], words.lateness?.[lateness],
      marks & WHISTLED ? words.whistled : "", marks & SUPERVISED ? words.supervised : "",
    ].filter(Boolean);
  }

  function title(found) {
    const { labels } = gridmgr.data.incidents;
    return [labels?.[found.state] ?? found.label, found.title || found.number, ...said(found)].filter(Boolean).join(" · ");
  }

  function marked(found, labels, signs) {
    const mark = L.marker([found.lat, found.lon]);
    mark.bindPopup(() => incidentCard(mark.incident, labels));
    return dress(mark, found, labels, signs);
  }

  /** Let a mark say what is now so of its incident. */
  function dress(mark, found, labels, signs) {
    mark.incident = found;
    mark.state = found.state;
    mark.options.title = mark.options.alt = title({ ...found, label: labels[found.state] });
    mark.setIcon(icon(signs[found.state], found));
    return mark;
  }

  /** What the list knows of an incident; a listener may put more into the box. */
  function incidentCard(found, labels) {
    const { words } = gridmgr;
    const { id, number, state, category } = found;
    const head = found.title || number;
    const number_ = String(head).includes(number) ? [] : [[words.number, number]];
    const box = gridmgr.card(head, [...number_, [words.state, labels[state] || state], [words.category, category]], found.url);
    const more = said(found);
    if (more.length) box.querySelector("dl").after(element("p", "", more.join(" · ")));
    document.dispatchEvent(new CustomEvent("gridmgr:incident", { detail: { id, number, box, more } }));
    return box;
  }

  // ---- all of them -----------------------------------------------------------------------------

  /** Fetch {"items": rows, "categories"?: names by id} and add them; a newer call wins. */
  async function loadIncidents(map, cluster, url, signs, labels) {
    gridmgr.asking?.abort();
    const asking = gridmgr.asking = new AbortController();
    gridmgr.tell("loading", { url });
    const answer = await fetched(url, asking.signal);
    if (asking.signal.aborted) return 0;
    if (answer) {
      gridmgr.complete = answer.complete !== false;
      return addIncidents(map, cluster, answer.items, signs, labels, answer.categories);
    }
    gridmgr.tell("loaded", { count: 0 });
    return 0;
  }

  /** Replace the incidents of a cluster; those of a state that is switched off wait outside it. Rows with `categories` are a map's. */
  async function addIncidents(map, cluster, items, signs, labels, categories) {
    names = categories || names;
    cluster.signs = signs;
    known.clear();
    for (const state of gridmgr.states.values()) state.marks.clear();
    for (const row of items) {
      const found = incident(row, Boolean(categories));
      const mark = marked(found, labels, signs);
      known.set(found.id, mark);
      stateOf(found.state).marks.add(mark);
    }
    if (await draw(cluster)) gridmgr.tell("loaded", { count: items.length });
    return items.length;
  }

  /** Change incidents where they stand: rows that are new or other now, and the ids of those that are no more. */
  async function changeIncidents({ put, gone }) {
    await gridmgr.drawn;
    const { cluster } = gridmgr;
    const { signs, labels } = gridmgr.data.incidents;
    const [come, left] = [[], []];
    const leave = (id) => {
      const mark = known.get(id);
      if (!mark) return;
      known.delete(id);
      stateOf(mark.state).marks.delete(mark);
      if (cluster.hasLayer(mark)) left.push(mark);
    };
    gone.forEach(leave);
    for (const row of put) {
      const found = incident(row, true);
      const mark = known.get(found.id);
      const stays = mark && stateOf(mark.state).shown && stateOf(found.state).shown && mark.getLatLng().equals([found.lat, found.lon]);
      if (stays) {
        stateOf(mark.state).marks.delete(mark);
        stateOf(found.state).marks.add(dress(mark, found, labels, signs));
        cluster.refreshClusters(mark);
        continue;
      }
      leave(found.id);
      const fresh = marked(found, labels, signs);
      known.set(found.id, fresh);
      stateOf(found.state).marks.add(fresh);
      if (stateOf(found.state).shown) come.push(fresh);
    }
    if (left.length) cluster.removeLayers(left);
    if (come.length) cluster.addLayers(come);
    gridmgr.tell("changed", { put: put.length, gone: gone.length, count: known.size });
  }

  /** Draw the marks of all states shown, in slices; false if a newer drawing took over in between. */
  function draw(cluster) {
    gridmgr.drawn = drawSlices(cluster);
    return gridmgr.drawn;
  }

  async function drawSlices(cluster) {
    const turn = gridmgr.drawing = ++drawing;
    cluster.clearLayers();
    const marks = [...gridmgr.states.values()].flatMap((state) => (state.shown ? [...state.marks] : []));
    for (let from = 0; from < marks.length; from += SLICE) {
      if (from) await new Promise((awake) => { setTimeout(awake); });
      if (turn !== drawing) return false;
      cluster.addLayers(marks.slice(from, from + SLICE));
    }
    return true;
  }

  function stateOf(state) {
    if (!gridmgr.states.has(state)) gridmgr.states.set(state, { shown: true, marks: new Set() });
    return gridmgr.states.get(state);
  }

  /** Show or hide all incidents of one state. */
  function show(state, shown) {
    const group = stateOf(state);
    if (group.shown === shown) return;
    group.shown = shown;
    draw(gridmgr.cluster);
  }

  // ---- clusters --------------------------------------------------------------------------------

  /** A cluster's icon: its count inside a ring of the states it holds. */
  function ring(cluster) {
    const marks = cluster.getAllChildMarkers();
    const { signs } = cluster._group;
    const counts = {};
    for (const { state } of marks) counts[state] = (counts[state] || 0) + 1;
    let from = 0;
    const arcs = Object.keys(signs).filter((state) => counts[state]).map((state) => {
      const to = from + (360 * counts[state]) / marks.length;
      const arc = `${signs[state].colour} ${from}deg ${to}deg`;
      from = to;
      return arc;
    });
    const size = 30 + 6 * Math.min(Math.floor(Math.log10(marks.length)), 4);
    const face = element("div", "map-ring");
    face.style.background = `conic-gradient(${arcs.join(", ")})`;
    face.append(element("span", "", marks.length.toLocaleString("en-US")));
    return L.divIcon({ html: face, className: "map-cluster", iconSize: [size, size] });
  }

  /** Let a cluster open by a click or Enter: into its parts, a spiral of marks, or a list of what is too much for one. */
  function opening(cluster) {
    Object.assign(cluster.options, { spiderfyOnMaxZoom: false, zoomToBoundsOnClick: false });
    cluster.on("clusterclick clusterkeypress", ({ type, layer, originalEvent }) => {
      if (type === "clusterkeypress" && originalEvent?.key !== "Enter") return;
      let bottom = layer;
      while (bottom._childClusters.length === 1) bottom = bottom._childClusters[0];
      const together = bottom._zoom === cluster._maxZoom && bottom._childCount === layer._childCount;
      if (!together) layer.zoomToBounds({ padding: [20, 20] });
      else if (layer.getChildCount() <= SPREAD) layer.spiderfy();
      else L.popup().setLatLng(layer.getLatLng()).setContent(crowd(layer)).openOn(gridmgr.map);
    });
  }

  /** What stands at one place, counted by state, with a link to the list of it. */
  function crowd(layer) {
    const { labels } = gridmgr.data.incidents;
    const counts = {};
    for (const { state } of layer.getAllChildMarkers()) counts[state] = (counts[state] || 0) + 1;
    const rows = Object.keys(labels).filter((state) => counts[state]).map((state) => [labels[state], counts[state].toLocaleString("en-US")]);
    const head = (gridmgr.words.many || "{n}").replace("{n}", layer.getChildCount().toLocaleString("en-US"));
    return gridmgr.card(head, rows, gridmgr.listing?.(layer.getBounds()));
  }

  Object.assign(gridmgr, { loadIncidents, addIncidents, changeIncidents, show, ring, icon, opening, shown: () => known.size });
})();
