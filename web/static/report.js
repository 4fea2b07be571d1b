// The report form: a click, a building or a position fills the coordinates; the list of categories narrows by words.
(function () {
  "use strict";
  const form = document.getElementById("report");
  if (!form) return;
  const found = document.getElementById("found");
  const here = document.getElementById("here");

  /** Take a WGS-84 place into the form and let the page say where it is. */
  function take(lon, lat, move) {
    form.lon.value = Number(lon).toFixed(7);
    form.lat.value = Number(lat).toFixed(7);
    form.datum.value = "wgs84";
    gridmgr.pick(Number(lon), Number(lat));
    if (move) window.gridmgrMap.setView([lat, lon], Math.max(window.gridmgrMap.getZoom(), 17));
    htmx.trigger(document.body, "place");
  }

  document.addEventListener("gridmgr:picked", ({ detail }) => take(detail.lon, detail.lat, false));

  found.addEventListener("click", ({ target }) => {
    const button = target.closest("button[data-lon]");
    if (!button) return;
    take(button.dataset.lon, button.dataset.lat, true);
    if (!form.address.value) form.address.value = button.dataset.address;
    found.replaceChildren();
  });

  here.addEventListener("click", () => {
    const denied = () => window.say(here.dataset.denied);
    if (!navigator.geolocation) return denied();
    here.disabled = true;
    const done = () => { here.disabled = false; };
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        done();
        take(coords.longitude, coords.latitude, true);
        document.dispatchEvent(new CustomEvent("gridmgr:located", { detail: coords }));
      },
      () => { done(); denied(); },
      { enableHighAccuracy: true, timeout: 15000 },
    );
  });

  const where = document.getElementById("where");
  const shown = () => where.scrollIntoView({ block: "center" });
  if (where.querySelector("[data-failed]")) shown();

  // Without a place nothing else matters yet; said where the place is chosen.
  form.addEventListener("invalid", (event) => {
    if (form.lon.value && form.lat.value) return;
    event.preventDefault();
    const said = document.createElement("p");
    said.className = "alert bad";
    said.setAttribute("role", "alert");
    said.textContent = where.dataset.missing;
    where.replaceChildren(said);
    shown();
  }, true);

  where.addEventListener("click", ({ target }) => {
    if (target.id !== "swap") return;
    [form.lon.value, form.lat.value] = [form.lat.value, form.lon.value];
    htmx.trigger(document.body, "place");
  });

  const written = document.getElementById("written");
  form.description.addEventListener("input", ({ target }) => {
    written.textContent = `${target.value.length} / ${target.maxLength}`;
    written.classList.toggle("late", target.value.length >= target.maxLength);
  });

  // Typed coordinates come back converted; the mark follows them.
  document.addEventListener("htmx:afterSwap", ({ detail }) => {
    if (detail.target.id !== "where") return;
    const told = detail.target.querySelector("[data-lon]");
    if (told) gridmgr.pick(Number(told.dataset.lon), Number(told.dataset.lat));
  });

  const choice = form.category;
  document.getElementById("find-category").addEventListener("input", ({ target }) => {
    const sought = target.value.trim().toLowerCase();
    let first = null;
    for (const option of choice.options) {
      const fits = !sought || !option.value || option.text.toLowerCase().includes(sought)
        || option.parentElement.label?.toLowerCase().includes(sought);
      option.hidden = option.disabled = !fits;
      if (fits && option.value && !first) first = option;
    }
    for (const group of choice.querySelectorAll("optgroup")) group.hidden = [...group.children].every((option) => option.hidden);
    if (sought && first) {
      choice.value = first.value;
      htmx.trigger(choice, "change");
    }
  });
})();
