// The list of cases by keyboard: j and k go down and up, x ticks, Enter opens, / searches, ? tells. Off while typing.
(function () {
  "use strict";
  let here = -1;

  const rows = () => [...document.querySelectorAll("#list tbody tr")];

  function go(to) {
    const all = rows();
    if (!all.length) return;
    here = Math.max(0, Math.min(all.length - 1, to));
    all.forEach((row, n) => row.classList.toggle("here", n === here));
    all[here].scrollIntoView({ block: "nearest" });
  }

  function count() {
    const ticked = document.querySelectorAll("#list [name=numbers]:checked").length;
    const bar = document.getElementById("bulk-bar");
    if (!bar) return;
    bar.hidden = !ticked;
    bar.querySelector("b").textContent = ticked;
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("input:not([type=checkbox]), textarea, select, [contenteditable]")) return;
    const row = rows()[here];
    const keys = {
      j: () => go(here + 1),
      k: () => go(here - 1),
      x: () => { const box = row && row.querySelector("[name=numbers]"); if (box) { box.checked = !box.checked; count(); } },
      Enter: () => row && event.target === document.body && row.querySelector("a").click(),
      "/": () => document.getElementById("words").focus(),
      "?": () => window.say(document.getElementById("keys").textContent),
    };
    if (keys[event.key]) {
      if (event.key !== "Enter") event.preventDefault();
      keys[event.key]();
    }
  });
  document.addEventListener("change", ({ target }) => {
    if (target.matches("#tick-all")) document.querySelectorAll("#list [name=numbers]").forEach((box) => { box.checked = target.checked; });
    if (target.closest("#list")) count();
  });
  document.addEventListener("htmx:afterSwap", () => { here = -1; count(); });
  window.addEventListener("pageshow", count);
})();
