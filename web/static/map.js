// What folium cannot draw safely: shapes and legends from data that is only ever text; points.js draws incidents.
// The page puts its data into <script type="application/json" id="map-data">; nothing here reads HTML.
(function () {
  "use strict";

  // Leaflet 1.8 dropped what VectorGrid calls on every click.
  L.DomEvent.fakeStop = L.DomEvent.fakeStop || (() => true);

  const FILL = { fill: true, fillOpacity: 0.65, weight: 0.5, color: "#5f6b78", opacity: 0.7 };
  const ROOM = { padding: [14, 14], animate: false };
  const gridmgr = { data: {}, words: {}, layers: {} };

  // ---- text into the page ----------------------------------------------------------------------

  /** An element with text, never with HTML. */
  function element(tag, className = "", text = "") {
    const node = document.createElement(tag);
    node.className = className;
    node.textContent = text;
    return node;
  }

  /** A table of [title, value] rows; empty values are left out. */
  function card(heading, rows, link) {
    const box = element("div", "map-card");
    const head = element("strong", "", heading);
    box.append(head);
    const list = element("dl");
    for (const [title, value] of rows) {
      if (value === null || value === undefined || value === "") continue;
      list.append(element("dt", "", title), element("dd", title === gridmgr.words.number ? "map-number" : "", String(value)));
    }
    box.append(list);
    if (ours(link)) {
      const anchor = element("a", "", gridmgr.words.open || heading);
      anchor.href = link;
      box.append(anchor);
    }
    return box;
  }

  /** Whether a link stays on our origin; javascript: and other hosts don't. */
  function ours(link) {
    return typeof link === "string" && link !== "" && new URL(link, location.href).origin === location.origin
      && /^[/?#.]/.test(link);
  }

  /** Tell the page; true unless a listener took the event over with preventDefault(). */
  function tell(name, detail) {
    return document.dispatchEvent(new CustomEvent("gridmgr:" + name, { detail, cancelable: true }));
  }

  /** JSON of our own server, null if it doesn't come; the page hears gridmgr:failed unless we called it off. */
  async function fetched(url, signal) {
    try {
      const answer = await fetch(url, { signal, headers: { Accept: "application/json" } });
      if (answer.ok) return await answer.json();
      tell("failed", { url, status: answer.status });
    } catch {
      if (!signal?.aborted) tell("failed", { url, status: 0 });
    }
    return null;
  }

  // ---- the map's frame -------------------------------------------------------------------------

  /** Between whole zooms a tile is shown larger than it was drawn; VectorGrid seeks what was hit as if it were not. */
  function aim(tile) {
    for (const name of ["_onClick", "_onMouseMove"]) {
      const seek = tile[name];
      tile[name] = function (event) {
        const map = this._map;
        if (!map) return;
        const shown = this._container.getBoundingClientRect();
        const share = L.point((event.clientX - shown.left) / shown.width, (event.clientY - shown.top) / shown.height);
        const hit = this._size.scaleBy(share).add(this.getOffset());
        this._map = Object.create(map, { mouseEventToLayerPoint: { value: () => hit } });
        try { seek.call(this, event); } finally { if (this._map) this._map = map; }
      };
    }
    tile.aimed = true;
  }

  /** Read the page's data and dress the map; called before any layer is added, so tiles load once. */
  function frame(map) {
    const block = document.getElementById("map-data");
    gridmgr.data = block ? JSON.parse(block.textContent) : {};
    gridmgr.words = gridmgr.data.words || {};
    gridmgr.map = window.gridmgrMap = map;
    if (L.Canvas.Tile && !L.Canvas.Tile.prototype.aimed) aim(L.Canvas.Tile.prototype);
    const { view } = gridmgr.data;
    if (view) map.setView([view[1], view[0]], view[2]);
    else if (gridmgr.data.bounds) map.fitBounds(gridmgr.data.bounds, ROOM);
    map.zoomControl = L.control.zoom({
      zoomInTitle: gridmgr.words.zoom_in, zoomOutTitle: gridmgr.words.zoom_out,
    }).addTo(map);
    L.control.scale({ imperial: false }).addTo(map);
    if (map.attributionControl) {
      map.attributionControl.setPrefix(false).addAttribution(element("span", "", gridmgr.data.attribution).innerHTML);
    }
  }

  /** Fill the finished map with the page's data. */
  function start(map, layers, cluster) {
    (gridmgr.charts ||= []).push({ map, layers, cluster }); // a page may hold several maps
    gridmgr.layers = layers;
    gridmgr.cluster = cluster;
    const { incidents, legend: groups, pick, fills } = gridmgr.data;
    const toggle = map.getContainer().querySelector(".leaflet-control-layers-toggle");
    if (toggle) toggle.title = gridmgr.words.layers || "";
    for (const [level, layer] of Object.entries(layers)) if (layer.setFeatureStyle && !pick) follow(level, layer);
    for (const [level, { url, classes }] of Object.entries(fills || {})) {
      loadValues(layers[level], url, Object.fromEntries(classes.map((entry) => [entry.value, entry.colour])));
    }
    if (pick) picking(map);
    if (groups) legendControl(map, groups);
    if (!incidents) return Promise.resolve();
    gridmgr.opening(cluster);
    if (incidents.live) return Promise.resolve(); // the page asks when it has begun to hear what changes
    if (!incidents.url) return Promise.resolve(gridmgr.addIncidents(map, cluster, incidents.items, incidents.signs, incidents.labels));
    return gridmgr.loadIncidents(map, cluster, incidents.url, incidents.signs, incidents.labels);
  }

  /** Let a click on the map choose a place. */
  function picking(map) {
    let mark = null;
    const put = (latlng) => {
      mark = mark ? mark.setLatLng(latlng) : L.marker(latlng, { icon: gridmgr.icon({ colour: "#d55e00", shape: "pin" }) }).addTo(map);
    };
    gridmgr.pick = (lon, lat) => put([lat, lon]);
    map.on("click", (event) => {
      const { lng, lat } = event.latlng.wrap();
      put(event.latlng);
      tell("picked", { lon: lng, lat });
    });
  }

  // ---- units -----------------------------------------------------------------------------------

  /** Answer clicks on a vector tile layer with the page's listener, else with name and code. */
  function follow(level, layer) {
    layer.on("click", (event) => {
      const unit = event.layer.properties;
      if (!tell("feature", { level, properties: unit, latlng: event.latlng })) return;
      const rows = [[gridmgr.words.code, unit.code]];
      L.popup().setLatLng(event.latlng).setContent(card(unit.name || unit.code, rows)).openOn(gridmgr.map);
    });
  }

  /** Show a coloured level however far away one looks: a county is wider than a town. */
  function showFrom(layer, coloured) {
    layer.shownFrom ??= layer.options.minZoom;
    const from = coloured ? 0 : layer.shownFrom;
    if (layer.options.minZoom === from) return;
    layer.options.minZoom = from;
    if (layer._map) layer._resetView();
  }

  /** Fill units of a vector tile layer by class; units left out get their plain style back. */
  function recolour(layer, values, palette) {
    for (const code of Object.keys(layer.coloured || {})) if (!(code in values)) layer.resetFeatureStyle(code);
    for (const [code, value] of Object.entries(values)) {
      layer.setFeatureStyle(code, { ...FILL, fillColor: palette[value] });
    }
    layer.coloured = values;
    showFrom(layer, Object.keys(values).length > 0);
  }

  /** Fetch {"values": {code: value, …}} and fill the units of a vector tile layer. */
  async function loadValues(layer, url, palette) {
    const answer = await fetched(url);
    if (answer) recolour(layer, answer.values, palette);
  }

  /** A layer of the shapes that data.shapes[key] describes, filled by class where it names a column. */
  function shapes(key) {
    const { source, style, column, classes, fields } = gridmgr.data.shapes[key];
    const known = new Map((classes || []).map((entry) => [entry.value, entry]));
    const dress = ({ properties }) => {
      const entry = known.get(properties[column]);
      return entry ? { ...style, ...FILL, fillColor: entry.colour } : style;
    };
    const said = (field, value) => (field === column && known.has(value) ? known.get(value).label : value);
    const layer = L.geoJSON(gridmgr.data.sources[source], {
      style: dress,
      pointToLayer: (feature, latlng) => L.circleMarker(latlng, { ...dress(feature), radius: 7 }),
    });
    if (fields) {
      layer.bindPopup(({ feature: { properties } }) => {
        const rows = fields.map(([field, title]) => [title, said(field, properties[field])]);
        return card(properties.name || properties.code || "", rows);
      });
    }
    layer.key = key;
    return layer;
  }

  // ---- legends ---------------------------------------------------------------------------------

  /** Build a legend of [{title, layer?, toggles?, entries: [{value, label, colour, shape?}]}]. */
  function legend(root, groups) {
    for (const group of groups) {
      const part = element("section", "map-legend-group");
      if (group.layer) part.dataset.layer = group.layer;
      part.append(element("h3", "", group.title));
      for (const entry of group.entries) part.append(legendRow(entry, group.toggles));
      root.append(part);
    }
    return root;
  }

  function legendRow(entry, toggles) {
    const row = element("label", "map-legend-row");
    if (toggles) {
      const box = element("input");
      Object.assign(box, { type: "checkbox", checked: true });
      box.dataset.state = entry.value;
      row.append(box);
    }
    const sign = element("span", "map-sign");
    sign.dataset.shape = entry.shape || "swatch";
    sign.style.setProperty("--sign", entry.colour);
    row.append(sign, element("span", "", entry.label));
    return row;
  }

  /** The legend as a control of the map; of the layers that exclude each other only the shown one. */
  function legendControl(map, groups) {
    const control = L.control({ position: "bottomright" });
    const root = element("details", "map-legend");
    root.append(element("summary", "", gridmgr.words.legend));
    root.open = map.getSize().x > 640; // on a phone the map comes first
    legend(root, groups);
    control.onAdd = () => root;
    L.DomEvent.disableClickPropagation(root).disableScrollPropagation(root);
    control.addTo(map);
    const only = (key) => root.querySelectorAll("[data-layer]").forEach((part) => { part.hidden = part.dataset.layer !== key; });
    const first = root.querySelector("[data-layer]");
    if (first) only(first.dataset.layer);
    map.on("baselayerchange", ({ layer }) => only(layer.key));
  }

  // A page's own legend works by the same sign: <input type="checkbox" data-state="handling" checked>.
  document.addEventListener("change", ({ target }) => {
    if (target.matches("input[data-state]") && gridmgr.cluster) gridmgr.show(target.dataset.state, target.checked);
  });

  window.gridmgr = Object.assign(gridmgr, { frame, start, shapes, recolour, loadValues, legend, card, tell, element, fetched, ROOM });
})();
