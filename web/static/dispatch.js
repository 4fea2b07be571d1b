// The dispatch desk by keyboard: j and k go down and up, 1 to 3 choose, Enter dispatches, x ticks, o opens, ? tells.
(function () {
  "use strict";
  let here = -1;

  const rows = () => [...document.querySelectorAll("#queue .waiting")];

  function go(to) {
    const all = rows();
    if (!all.length) return;
    here = Math.max(0, Math.min(all.length - 1, to));
    all.forEach((row, n) => row.classList.toggle("here", n === here));
    all[here].scrollIntoView({ block: "nearest" });
  }

  function count() {
    const bar = document.getElementById("bulk-bar");
    if (!bar) return;
    const ticked = document.querySelectorAll("#queue [name=numbers]:checked").length;
    bar.querySelector("b").textContent = ticked;
    for (const button of bar.querySelectorAll("button")) button.disabled = !ticked;
  }

  function tell() {
    window.say(document.getElementById("keys").textContent);
  }

  function pick(row, n) {
    const radio = row.querySelectorAll(".suggestion input")[n];
    if (radio) radio.checked = true;
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("input:not([type=checkbox]):not([type=radio]), textarea, select, button, a, summary")) return;
    const row = rows()[here];
    const keys = {
      j: () => go(here + 1),
      k: () => go(here - 1),
      x: () => { const box = row && row.querySelector("[name=numbers]"); if (box) { box.checked = !box.checked; count(); } },
      o: () => row && row.querySelector("a").click(),
      Enter: () => { const button = row && row.querySelector("[name=one]"); if (button) button.click(); },
      "?": tell,
    };
    for (const n of [1, 2, 3]) keys[n] = () => row && pick(row, n - 1);
    if (keys[event.key]) {
      event.preventDefault();
      keys[event.key]();
    }
  });

  document.addEventListener("click", ({ target }) => {
    if (target.closest("#ask-keys")) tell();
  });
  document.addEventListener("change", ({ target }) => {
    if (target.matches("#tick-all")) document.querySelectorAll("#queue [name=numbers]").forEach((box) => { box.checked = target.checked; });
    if (target.closest("#queue")) count();
  });
  document.addEventListener("htmx:afterSwap", ({ detail }) => {
    const at = here;
    here = -1;
    count();
    if (at >= 0) go(at); // the next one has moved up to where the last one was
    if (detail.target.id !== "queue" || !window.gridmgr || !gridmgr.cluster) return;
    const { url, signs, labels } = gridmgr.data.incidents;
    gridmgr.loadIncidents(window.gridmgrMap, gridmgr.cluster, url, signs, labels);
  });
  window.addEventListener("pageshow", count);
})();
