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
    const { signs, labels } = gridmgr.data.incidents;
    const { incidents, bounds } = asked();
    if (bounds !== framed) map.fitBounds(JSON.parse(bounds), gridmgr.ROOM);
    framed = bounds;
    gridmgr.loadIncidents(map, gridmgr.cluster, incidents, signs, labels);
    htmx.trigger("#colouring", "recolour");
  }

  function recolour() {
    const { level, values, palette } = JSON.parse(document.getElementById("colours").textContent);
    if (coloured && coloured !== level) gridmgr.recolour(gridmgr.layers[coloured], {}, {});
    gridmgr.recolour(gridmgr.layers[level], values, palette);
    coloured = level;
    document.dispatchEvent(new CustomEvent("gridmgr:coloured", { detail: { level, count: Object.keys(values).length } }));
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
  if (gridmgr.asking && !gridmgr.drawing) working("incidents", true);

  // ---- an incident ---------------------------------------------------------------------------

  const said = JSON.parse(document.getElementById("card-words").textContent);
  const clock = new Intl.DateTimeFormat("sv-SE", { timeZone: said.zone, dateStyle: "short", timeStyle: "short" });
  const MOST = 120; // characters of a description

  /** The lines of an incident's card as [class, text]; empty ones are left out. */
  function lines(found) {
    const due = found.due_at && new Date(found.due_at);
    const late = due && due < (found.closed_at ? new Date(found.closed_at) : new Date());
    const told = [...found.description];
    return [
      ["map-number", found.number],
      ["", gridmgr.data.incidents.labels[found.state]],
      ["", found.address],
      ["", told.length > MOST ? told.slice(0, MOST).join("") + "…" : found.description],
      [late ? "late" : "", due && `${said.due} ${clock.format(due)}${late ? " · " + said.overdue : ""}`],
    ].filter(([, text]) => text);
  }

  document.addEventListener("gridmgr:incident", async ({ detail: { number, box } }) => {
    const found = await gridmgr.fetched("/api/incidents/" + encodeURIComponent(number));
    if (!found) return;
    const link = gridmgr.element("a", "", gridmgr.words.open);
    link.href = "/incidents/" + encodeURIComponent(number);
    const title = document.documentElement.lang.startsWith("zh") ? found.category.name_zh : found.category.name_en;
    const rows = lines(found).map(([className, text]) => gridmgr.element("p", className, text));
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
