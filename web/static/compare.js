// Two maps that move together, coloured by one scale; a point on the one is shown on the other.
(function () {
  "use strict";
  const data = JSON.parse(document.getElementById("pair-data").textContent);
  const here = document.getElementById("pair-here");
  const charts = gridmgr.charts;
  let leading = false;

  charts.forEach(({ map, layers }, side) => {
    const other = charts[1 - side].map;
    gridmgr.recolour(layers[data.level], data.sides[side], data.palette);
    map.on("move", () => {
      if (leading) return;
      leading = true;
      other.setView(map.getCenter(), map.getZoom(), { animate: false });
      leading = false;
    });
    const mark = L.circleMarker([0, 0], { radius: 7, color: "#111", weight: 2, fill: false, interactive: false });
    map.on("mousemove", ({ latlng }) => mark.setLatLng(latlng).addTo(other));
    map.on("mouseout", () => mark.remove());
  });

  // A click says what both sides count there; the map's own card would only know one.
  document.addEventListener("gridmgr:feature", (event) => {
    event.preventDefault();
    const { level, properties } = event.detail;
    const row = data.rows[properties.code];
    if (level !== data.level) return;
    const [name, first, second, fate] = row || [properties.name || properties.code, 0, 0, ""];
    const said = (number) => (number === null ? "—" : number.toLocaleString(document.documentElement.lang));
    here.textContent = [name, `${said(first)} → ${said(second)}`, data.fates[fate]].filter(Boolean).join(" · ");
  });
})();
