// The search of the command map: suggestions by arrow, Enter or click; a place drills, a case opens its card.
(function () {
  "use strict";
  const input = document.getElementById("seek");
  if (!input) return;
  const sought = document.getElementById("sought");
  const map = window.gridmgrMap;
  const CLOSE = 17; // the zoom a spot is looked at
  const options = () => [...sought.querySelectorAll("[role=option]")];
  let chosen = -1;
  let waiting = false; // Enter came before the suggestions
  let mark = null;

  /** Choose one option, round and round; -1 is none. */
  function choose(n) {
    const all = options();
    chosen = n;
    all.forEach((option, each) => option.setAttribute("aria-selected", String(each === chosen)));
    if (chosen < 0) input.removeAttribute("aria-activedescendant");
    else {
      input.setAttribute("aria-activedescendant", all[chosen].id);
      all[chosen].scrollIntoView({ block: "nearest" });
    }
  }

  function fold() {
    sought.replaceChildren();
    input.setAttribute("aria-expanded", "false");
    choose(-1);
  }

  /** Show one place on the map, with a card if it has any lines. */
  function show(lon, lat, box) {
    if (mark) mark.remove();
    mark = L.circleMarker([lat, lon], { radius: 11, color: "#111", weight: 3, fill: false, interactive: false }).addTo(map);
    if (!box) return;
    map.setView([lat, lon], Math.max(map.getZoom(), CLOSE), { animate: false });
    L.popup({ offset: [0, -6] }).setLatLng([lat, lon]).setContent(box).openOn(map);
  }

  function take(option) {
    const { code, number, lon, lat } = option.dataset;
    const box = gridmgr.element("div", "map-card");
    box.append(gridmgr.element("strong", "", option.querySelector("b").textContent));
    box.append(gridmgr.element("p", "", option.querySelector("small").textContent));
    fold();
    if (number) {
      show(lon, lat, box);
      document.dispatchEvent(new CustomEvent("gridmgr:incident", { detail: { number, box, more: [] } }));
    } else if (lon !== undefined && (code === undefined || option.id.startsWith("sought-person"))) show(lon, lat, box);
    else {
      if (lon !== undefined) show(lon, lat);
      gridmgr.into(code);
    }
  }

  input.addEventListener("keydown", (event) => {
    const all = options();
    if (event.key === "Escape") return fold();
    if (event.key === "Enter") {
      event.preventDefault();
      if (all.length) return take(all[Math.max(chosen, 0)]);
      waiting = true;
      return;
    }
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    if (!all.length) return;
    choose(event.key === "ArrowDown" ? (chosen + 1) % all.length : (Math.max(chosen, 0) + all.length - 1) % all.length);
  });
  input.addEventListener("input", () => { waiting = false; chosen = -1; if (!input.value) fold(); });

  sought.addEventListener("click", ({ target }) => {
    const option = target.closest("[role=option]");
    if (option) take(option);
  });

  document.addEventListener("htmx:afterSwap", ({ target }) => {
    if (target.id !== "sought") return;
    input.setAttribute("aria-expanded", String(options().length > 0));
    choose(-1);
    const said = document.getElementById("sought-said");
    const none = sought.querySelector("p.quiet");
    said.textContent = none ? none.textContent : options().length ? said.dataset.said.replace("{n}", options().length) : "";
    if (waiting && options().length) take(options()[0]);
    waiting = false;
  });
})();
