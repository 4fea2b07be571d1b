// Where it hurts: what the page found, drawn on its map anew whenever the filters change.
(function () {
  "use strict";
  const map = window.gridmgrMap;
  const drawn = L.layerGroup().addTo(map);
  const marks = L.layerGroup().addTo(map);
  const MOST_MARKS = 250; // letters drawn at a time; more would lie on top of each other
  let shown = {};
  let coloured = null;

  const link = (href, text) => {
    const anchor = gridmgr.element("a", "", text);
    anchor.href = href;
    return anchor;
  };

  /** A card of lines, with a link at its end. */
  function card(heading, lines, href, text) {
    const box = gridmgr.element("div", "map-card");
    box.append(gridmgr.element("strong", "", heading), ...lines.map((line) => gridmgr.element("p", "", line)));
    if (href) box.append(link(href, text));
    return box;
  }

  function colour() {
    const { level, values = {}, palette = {} } = shown;
    if (coloured && coloured !== level) gridmgr.recolour(gridmgr.layers[coloured], {}, {});
    if (level) gridmgr.recolour(gridmgr.layers[level], values, palette);
    coloured = level || null;
  }

  /** The letters of the classes, where so few are in sight that they can be read. */
  function letters() {
    marks.clearLayers();
    const box = map.getBounds();
    const inside = (shown.marks || []).filter(([lon, lat]) => box.contains([lat, lon]));
    if (inside.length > MOST_MARKS || map.getZoom() < 13) return;
    for (const [lon, lat, text] of inside) {
      const html = gridmgr.element("span", "", text);
      const icon = L.divIcon({ html, className: "map-letter", iconSize: [0, 0] });
      L.marker([lat, lon], { icon, interactive: false, keyboard: false }).addTo(marks);
    }
  }

  function areas() {
    const { areas: found, palette, labels } = shown;
    if (!found) return;
    L.geoJSON(found, {
      style: ({ properties }) => ({ fillColor: palette[properties.klass], fillOpacity: 0.6, color: "#5f6b78", weight: 0.8 }),
    }).bindPopup(({ feature }) => card(labels[feature.properties.klass], [])).addTo(drawn);
  }

  function points() {
    for (const [lon, lat, count, title, href] of shown.points || []) {
      const radius = 7 + 3 * Math.log2(count);
      L.circleMarker([lat, lon], { radius, fillColor: "#d95f0e", fillOpacity: 0.7, color: "#3b1a06", weight: 1.5 })
        .bindPopup(() => card(title, [], href, String(count)))
        .addTo(drawn);
    }
  }

  function draw() {
    shown = JSON.parse(document.getElementById("shown").textContent);
    drawn.clearLayers();
    colour();
    letters();
    areas();
    points();
    document.dispatchEvent(new CustomEvent("gridmgr:shown"));
  }

  // What is known of a unit: its class and its cases, a click away.
  document.addEventListener("gridmgr:feature", (event) => {
    const { level, properties, latlng } = event.detail;
    if (level !== shown.level) return;
    event.preventDefault();
    const href = new URL(shown.cases, location.href);
    href.searchParams.set("code", properties.code);
    const klass = shown.values[properties.code];
    const box = card(properties.name || properties.code, [properties.code, shown.labels[klass] || ""].filter(Boolean),
      href.pathname + href.search, `${gridmgr.words.open} ${shown.counts[properties.code] ?? ""}`.trim());
    L.popup().setLatLng(latlng).setContent(box).openOn(map);
  });

  map.on("moveend", letters);
  document.addEventListener("htmx:afterSwap", ({ target }) => { if (target.id === "found") draw(); });
  window.addEventListener("popstate", () => location.reload());
  draw();
})();
