// Whistles: a device says where it is; the map of the board follows its list.
(function () {
  "use strict";

  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-here]");
    if (!button) return;
    const { form } = button;
    const denied = () => window.say(button.dataset.denied);
    if (!navigator.geolocation) return denied();
    button.disabled = true;
    const done = () => { button.disabled = false; };
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        done();
        form.lon.value = coords.longitude.toFixed(7);
        form.lat.value = coords.latitude.toFixed(7);
      },
      () => { done(); denied(); },
      { enableHighAccuracy: true, timeout: 15000 },
    );
  });


  document.addEventListener("htmx:afterSwap", ({ detail }) => {
    if (detail.target.id !== "open-whistles" || !window.gridmgr || !gridmgr.cluster) return;
    const { url, signs, labels } = gridmgr.data.incidents;
    gridmgr.loadIncidents(window.gridmgrMap, gridmgr.cluster, url, signs, labels);
  });
})();
