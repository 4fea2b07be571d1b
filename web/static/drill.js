// The way down on the command map: a click or a link drills into a unit, the panel tells of it, its outline is drawn.
// What is drilled into is the area of the filters, so that the address holds it and the back button leads up again.
(function () {
  "use strict";
  const map = window.gridmgrMap;
  const form = document.getElementById("filters");
  const drill = document.getElementById("drill");
  const handle = document.getElementById("sheet-handle");
  const asked = () => document.getElementById("asked").dataset;
  // Two lines, dark over light: seen on every colour of a unit, whatever colours one can tell apart.
  const LINES = [{ color: "#fff", weight: 7, opacity: 0.9 }, { color: "#111", weight: 3, opacity: 1 }];
  let outlined = null;
  let turned = false; // whether whoever looks works in this panel, and not on the map

  /** Look at a unit, "" at the whole: the filters follow, and with them all of the page. */
  function into(code) {
    form.elements.code.value = code;
    htmx.trigger(form, "refresh");
  }

  function unfold() {
    if (!document.getElementById("stage").classList.contains("open")) handle.click();
    document.getElementById("panel").scrollTop = 0;
  }

  function outline() {
    if (outlined) outlined.remove();
    outlined = null;
    const told = document.getElementById("outline");
    if (!told) return;
    const shape = JSON.parse(told.textContent);
    outlined = L.layerGroup(LINES.map((style) => L.geoJSON(shape, { interactive: false, style: { ...style, fill: false } })));
    outlined.addTo(map);
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-drill]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    turned = drill.contains(link);
    into(link.dataset.drill);
  });

  /** The tables of the layers show what the map shows. */
  function tables() {
    const { query } = asked();
    const more = new URLSearchParams(query);
    for (const name of ["level", "colour"]) more.set(name, form.elements[name].value);
    document.getElementById("table-incidents").href = "/incidents" + query;
    document.getElementById("table-colours").href = "/map/table?" + more;
  }
  tables();

  document.addEventListener("htmx:afterSwap", ({ target }) => {
    if (target.id === "asked") tables();
    if (target.id === "asked") htmx.ajax("GET", "/map/drill" + asked().query, { target: "#drill", swap: "innerHTML" });
    if (target.id !== "drill") return;
    outline();
    shownAt = Date.now();
    if (turned) document.getElementById("drilled")?.focus({ preventScroll: true });
    turned = false;
  });

  // Now and then the panel is told anew, if anything has changed and nobody is at work in it.
  const EVERY = 60000;
  let told = "";
  let shownAt = Date.now();
  async function freshen() {
    const section = drill.querySelector("[data-again]");
    if (!section || drill.contains(document.activeElement)) return;
    shownAt = Date.now();
    const folded = [...drill.querySelectorAll("details")].map((each) => each.open);
    const down = drill.querySelector(".below")?.scrollTop ?? 0;
    await htmx.ajax("GET", section.dataset.again, { target: "#drill", swap: "innerHTML" });
    drill.querySelectorAll("details").forEach((each, n) => { each.open = folded[n] ?? each.open; });
    const table = drill.querySelector(".below");
    if (table) table.scrollTop = down;
  }
  document.addEventListener("gridmgr:figures", ({ detail }) => {
    const now = JSON.stringify(detail);
    if (now === told) return;
    if (!told) told = now; // what it was told first it shows already
    else if (Date.now() - shownAt > EVERY) { told = now; freshen(); }
  });

  // The map's own card would only know the topmost layer; the server knows all levels of a place.
  document.addEventListener("gridmgr:feature", (event) => event.preventDefault());
  map.on("click", async ({ latlng }) => {
    const { lng, lat } = latlng.wrap();
    const here = new URLSearchParams(asked().query);
    here.set("lon", lng.toFixed(7));
    here.set("lat", lat.toFixed(7));
    here.set("zoom", map.getZoom());
    const found = await gridmgr.fetched("/map/at?" + here);
    if (!found) return;
    if (found.said) window.say(found.said);
    if (found.code && found.code !== form.elements.code.value) into(found.code);
    if (found.code) unfold();
  });

  window.gridmgr.into = into;
})();
