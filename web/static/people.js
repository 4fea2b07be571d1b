// The layer of people on duty on the command map: who shares a position, pale when it is old, asked for anew now and then.
(function () {
  "use strict";
  const box = document.getElementById("show-people");
  if (!box) return;
  const map = window.gridmgrMap;
  const EVERY = 30000;
  const count = document.getElementById("people-count");
  const layer = L.layerGroup();
  const known = new Map(); // by account: the mark, so that an open card stays open
  const pane = map.createPane("people");
  pane.style.zIndex = 640; // over the incidents, under the cards
  const FACES_FROM = 16; // below that zoom a dot tells enough
  const distance = () => pane.classList.toggle("far", map.getZoom() < FACES_FROM);
  map.on("zoomend", distance);
  distance();

  function face({ name, role, ago, pale }) {
    const html = gridmgr.element("span", "", [...name].at(-1));
    const icon = L.divIcon({ html, className: `map-person${pale ? " pale" : ""}`, iconSize: [26, 26] });
    return { icon, title: [name, role, ago].join(" · ") };
  }

  function card({ name, role, place, ago }) {
    const node = gridmgr.element("div", "map-card");
    node.append(gridmgr.element("strong", "", name), gridmgr.element("p", "", role), gridmgr.element("p", "", place), gridmgr.element("p", "", ago));
    return node;
  }

  function put(each) {
    const { icon, title } = face(each);
    const old = known.get(each.id);
    const mark = old || L.marker([each.lat, each.lon], { pane: "people", icon, title, alt: title, keyboard: true }).addTo(layer);
    if (old) {
      old.setLatLng([each.lat, each.lon]).setIcon(icon);
      const node = old.getElement();
      if (node) node.title = title;
    }
    mark.unbindPopup().bindPopup(() => card(each));
    mark.getElement()?.setAttribute("aria-label", title);
    known.set(each.id, mark);
  }

  async function refresh() {
    if (!box.checked || document.hidden) return;
    const answer = await gridmgr.fetched("/map/positions");
    if (!answer) return;
    const here = new Set(answer.items.map(({ id }) => id));
    for (const [id, mark] of known) if (!here.has(id)) { layer.removeLayer(mark); known.delete(id); }
    for (const each of answer.items) {
      const mark = known.get(each.id);
      if (mark?.isPopupOpen()) continue; // whoever reads it is not interrupted
      put(each);
    }
    count.textContent = String(answer.items.length);
  }

  function follow() {
    if (box.checked) layer.addTo(map); else layer.remove();
    refresh();
  }
  box.addEventListener("change", follow);
  document.addEventListener("visibilitychange", refresh);
  setInterval(refresh, EVERY);
  follow();
})();
