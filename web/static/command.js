// The command map: new filters bring new incidents and colours; the panel folds.
(function () {
  "use strict";
  const stage = document.getElementById("stage");
  const toggle = document.getElementById("panel-toggle");
  const handle = document.getElementById("sheet-handle");
  const form = document.getElementById("filters");
  const map = window.gridmgrMap;
  const asked = () => document.getElementById("asked").dataset;
  const boxes = () => [...document.querySelectorAll("#board input[name=states]")];
  let coloured = null;
  let framed = asked().bounds;

  const resized = () => setTimeout(() => map.invalidateSize({ pan: false }), 60);
  const sheet = (open) => {
    stage.classList.toggle("open", open);
    handle.setAttribute("aria-expanded", String(open));
  };

  toggle.addEventListener("click", () => {
    const closed = stage.classList.toggle("closed");
    toggle.setAttribute("aria-expanded", String(!closed));
    resized();
  });
  handle.addEventListener("click", () => sheet(!stage.classList.contains("open")));

  // ---- filters ---------------------------------------------------------------------------------

  // All states chosen is no filter, so it stays out of the address.
  document.addEventListener("htmx:configRequest", ({ detail }) => {
    if (boxes().every((box) => box.checked)) detail.formData.delete("states");
    if (detail.formData.get("colour") === "hotspot") detail.formData.delete("colour");
    if (detail.formData.get("level") === "micro_grid") detail.formData.delete("level");
  });

  /** Tick the boxes of the states that `chosen` accepts, and ask as if they had been clicked. */
  function tick(chosen) {
    for (const box of boxes()) box.checked = chosen(box.value);
    form.dispatchEvent(new Event("change"));
  }

  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-tick]");
    if (!button) return;
    const { tick: which } = button.dataset;
    tick((state) => which === "all" || state === which);
  });

  // One answer swaps many parts and htmx tells of each of them; the map follows only one.
  document.addEventListener("htmx:afterSwap", ({ target }) => { if (target.id === "asked") reload(); });

  function reload() {
    const { bounds } = asked();
    if (bounds !== framed) map.fitBounds(JSON.parse(bounds), gridmgr.ROOM);
    framed = bounds;
    gridmgr.live.ask();
    htmx.trigger("#colouring", "recolour");
    keep();
  }

  /** Colour the units of one level, and show what the colours mean if that is told too. */
  function paint({ level, values, palette, legend }) {
    if (coloured && coloured !== level) gridmgr.recolour(gridmgr.layers[coloured], {}, {});
    gridmgr.recolour(gridmgr.layers[level], values, palette);
    coloured = level;
    const box = document.getElementById("colouring");
    if (legend && legend !== box.legend) {
      const folded = [...box.querySelectorAll("details")].map((each) => each.open);
      box.ariaLive = "off"; // it changes all day; nobody wants to be read it each time
      htmx.swap(box, legend, { swapStyle: "innerHTML" });
      box.querySelectorAll("details").forEach((each, n) => { each.open = folded[n] ?? each.open; });
      box.legend = legend;
    }
    document.dispatchEvent(new CustomEvent("gridmgr:coloured", { detail: { level, count: Object.keys(values).length } }));
  }
  gridmgr.paint = paint;

  function recolour() {
    const box = document.getElementById("colouring");
    box.ariaLive = "polite";
    box.legend = null;
    paint(JSON.parse(document.getElementById("colours").textContent));
  }

  window.addEventListener("popstate", () => location.reload());

  // ---- what is under way -----------------------------------------------------------------------

  const note = document.getElementById("map-busy");
  const busy = new Set();
  function working(what, on) {
    if (on) busy.add(what); else busy.delete(what);
    note.textContent = busy.size ? note.dataset[[...busy].at(-1)] : "";
  }
  const WORK = { filters: "incidents", colouring: "colours" };
  document.addEventListener("htmx:beforeRequest", ({ target }) => { if (target.id in WORK) working(WORK[target.id], true); });
  document.addEventListener("htmx:afterRequest", ({ target, detail }) => {
    if (target.id === "colouring" && detail.successful) recolour();
    if (target.id === "colouring" || (target.id in WORK && !detail.successful)) working(WORK[target.id], false);
  });
  document.addEventListener("gridmgr:loading", () => working("incidents", true));
  document.addEventListener("gridmgr:loaded", () => working("incidents", false));
  working("incidents", true);

  // ---- what is seen: place, layers and signs, all of it in the address --------------------------

  const hidden = new Set(form.elements.hide.value.split(",").filter(Boolean));
  const switches = () => [...document.querySelectorAll("#signs input[data-hide]")];
  let moved = false; // until then the map looks at what the filters name
  const layerOf = (name) => (name === "incidents" ? gridmgr.cluster : gridmgr.layers[name]);

  /** Let the address say what is seen, and the link to the table what lies within the map. */
  function keep() {
    const { lng, lat } = map.getCenter();
    if (moved) form.elements.centre.value = [lng.toFixed(6), lat.toFixed(6), map.getZoom()].join(",");
    form.elements.hide.value = [...hidden].sort().join(",");
    const address = new URL(location.href);
    for (const name of ["centre", "hide"]) {
      const { value } = form.elements[name];
      if (value) address.searchParams.set(name, value); else address.searchParams.delete(name);
    }
    history.replaceState(history.state, "", address);
    document.getElementById("boxed").href = gridmgr.listing(map.getBounds());
  }

  gridmgr.listing = (bounds) => {
    const given = new URLSearchParams(asked().query);
    const corners = [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()];
    const room = [-1e-6, -1e-6, 1e-6, 1e-6]; // marks are drawn at rounded places
    const most = [180, 90, 180, 90];
    given.set("box", corners.map((each, n) => Math.max(-most[n], Math.min(most[n], each + room[n])).toFixed(6)).join(","));
    return "/incidents?" + given;
  };

  function see(name, seen) {
    if (seen) hidden.delete(name); else hidden.add(name);
    const layer = layerOf(name);
    if (layer && map.hasLayer(layer) !== seen) { if (seen) layer.addTo(map); else layer.remove(); }
    if (!layer) map.getContainer().classList.toggle("no-" + name, !seen);
    for (const box of switches()) if (box.dataset.hide === name) box.checked = seen;
    keep();
  }
  document.addEventListener("change", ({ target }) => { if (target.dataset.hide) see(target.dataset.hide, target.checked); });
  map.on("overlayadd overlayremove", ({ type, layer }) => {
    if (gridmgr.live?.state === "paused") return; // another time has put its own layers there
    const box = switches().find(({ dataset }) => layerOf(dataset.hide) === layer);
    if (box && box.checked !== (type === "overlayadd")) see(box.dataset.hide, type === "overlayadd");
  });
  for (const name of [...hidden]) see(name, false);
  map.on("moveend", () => { moved = true; keep(); });
  keep();

  // What is saved is the address as it stands.
  document.addEventListener("htmx:configRequest", ({ target, detail }) => {
    if (target.id === "save-view") detail.formData.set("query", location.search);
  });

  // ---- an incident ---------------------------------------------------------------------------

  const said = JSON.parse(document.getElementById("card-words").textContent);
  const clock = new Intl.DateTimeFormat("sv-SE", { timeZone: said.zone, dateStyle: "short", timeStyle: "short" });
  const MOST = 120; // characters of a description

  /** The lines of an incident's card as [class, text]; empty ones are left out. */
  function lines(found, more) {
    const due = found.due_at && new Date(found.due_at);
    const late = due && due < (found.closed_at ? new Date(found.closed_at) : new Date());
    const told = [...found.description];
    return [
      ["map-number", found.number],
      ["", [gridmgr.data.incidents.labels[found.state], ...more].join(" · ")],
      ["", found.address],
      ["", told.length > MOST ? told.slice(0, MOST).join("") + "…" : found.description],
      [late ? "late" : "", due && `${said.due} ${clock.format(due)}${late ? " · " + said.overdue : ""}`],
    ].filter(([, text]) => text);
  }

  document.addEventListener("gridmgr:incident", async ({ detail: { number, box, more } }) => {
    const found = await gridmgr.fetched("/api/incidents/" + encodeURIComponent(number));
    if (!found) return;
    const link = gridmgr.element("a", "", gridmgr.words.open);
    link.href = "/incidents/" + encodeURIComponent(number);
    const title = document.documentElement.lang.startsWith("zh") ? found.category.name_zh : found.category.name_en;
    const rows = lines(found, more).map(([className, text]) => gridmgr.element("p", className, text));
    box.replaceChildren(gridmgr.element("strong", "", title), ...rows, link);
  });

  // ---- names -----------------------------------------------------------------------------------

  const NAMED_FROM = { street: 0, community: 13.5 };
  async function labels() {
    const answer = await gridmgr.fetched("/map/labels");
    map.createPane("names").className += " map-names";
    const groups = Object.entries(answer || {}).map(([level, names]) => [level, L.layerGroup(names.map(([name, lon, lat]) => {
      const html = gridmgr.element("span", "", name);
      const icon = L.divIcon({ html, className: "map-name " + level, iconSize: [0, 0] });
      return L.marker([lat, lon], { icon, pane: "names", interactive: false, keyboard: false });
    }))]);
    const fit = () => groups.forEach(([level, group]) => {
      if (map.getZoom() >= NAMED_FROM[level]) group.addTo(map); else group.remove();
    });
    map.on("zoomend", fit);
    fit();
  }
  labels();
})();
