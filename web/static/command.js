// The command map: new filters bring new incidents and colours; a click asks what is here; the panel folds.
(function () {
  "use strict";
  const stage = document.getElementById("stage");
  const toggle = document.getElementById("panel-toggle");
  const handle = document.getElementById("sheet-handle");
  const place = document.getElementById("place");
  let coloured = null;

  const resized = () => setTimeout(() => window.gridmgrMap.invalidateSize({ pan: false }), 60);
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

  // All states chosen is no filter, so it stays out of the address.
  document.addEventListener("htmx:configRequest", ({ detail }) => {
    const boxes = [...document.querySelectorAll("#board input[name=states]")];
    if (boxes.every((box) => box.checked)) detail.formData.delete("states");
    if (detail.formData.get("colour") === "hotspot") detail.formData.delete("colour");
    if (detail.formData.get("level") === "micro_grid") detail.formData.delete("level");
  });

  document.addEventListener("htmx:afterSwap", ({ detail }) => {
    if (detail.target.id === "board") reload();
    if (detail.target.id === "colouring") recolour();
  });

  function reload() {
    const board = document.getElementById("board");
    const { signs, labels } = gridmgr.data.incidents;
    board.querySelectorAll("input[data-state]").forEach((box) => gridmgr.show(box.dataset.state, box.checked));
    gridmgr.loadIncidents(window.gridmgrMap, gridmgr.cluster, board.dataset.incidents, signs, labels);
    htmx.trigger("#colouring", "recolour");
  }

  function recolour() {
    const { level, values, palette } = JSON.parse(document.getElementById("colours").textContent);
    if (coloured && coloured !== level) gridmgr.recolour(gridmgr.layers[coloured], {}, {});
    gridmgr.recolour(gridmgr.layers[level], values, palette);
    coloured = level;
    document.dispatchEvent(new CustomEvent("gridmgr:coloured", { detail: { level, count: Object.keys(values).length } }));
  }

  // The map's own card would only know the topmost layer; the server knows all levels of a place.
  document.addEventListener("gridmgr:feature", (event) => event.preventDefault());
  window.gridmgrMap.on("click", ({ latlng }) => {
    const { lng, lat } = latlng.wrap();
    const asked = new URLSearchParams(document.getElementById("board").dataset.query);
    asked.set("lon", lng.toFixed(7));
    asked.set("lat", lat.toFixed(7));
    htmx.ajax("GET", "/map/place?" + asked, { target: "#place", swap: "innerHTML" }).then(() => {
      sheet(true);
      document.getElementById("panel").scrollTop = 0;
    });
  });
  document.addEventListener("click", ({ target }) => {
    if (target.closest("[data-close=place]")) place.replaceChildren();
  });
  window.addEventListener("popstate", () => location.reload());
})();
