// The public notice: comments as pins on the map; a click says of which place one speaks.
(function () {
  "use strict";
  const map = window.gridmgrMap;
  const given = document.getElementById("notice-pins");
  if (!map || !given) return;
  const mark = (lon, lat, colour) => L.circleMarker([lat, lon], { radius: 7, color: "#fff", weight: 2, fillColor: colour, fillOpacity: 1 });
  for (const [lon, lat, text] of JSON.parse(given.textContent)) {
    const told = document.createElement("p");
    told.textContent = text;
    mark(lon, lat, "#c2410c").bindPopup(told).addTo(map);
  }
  const form = document.getElementById("notice-form");
  if (!form) return;
  let mine = null;
  map.getContainer().addEventListener("click", (event) => { // a click on a unit is one on the map too
    if (event.target.closest(".leaflet-control, .leaflet-popup")) return;
    const latlng = map.mouseEventToLatLng(event);
    form.lon.value = latlng.lng.toFixed(6);
    form.lat.value = latlng.lat.toFixed(6);
    if (mine) mine.remove();
    mine = mark(latlng.lng, latlng.lat, "#1d4ed8").addTo(map);
    const told = document.getElementById("notice-place");
    told.textContent = told.dataset.marked;
  });
})();
