// Ant work: the position of the phone shows the nearest pieces first, or fills the point of a new one.
(function () {
  "use strict";

  /** Ask the device where it is, and say so on the page if it does not tell. */
  function locate(button, then) {
    const denied = () => { button.disabled = false; window.say(button.dataset.denied); };
    if (!navigator.geolocation) return denied();
    button.disabled = true;
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => { button.disabled = false; then(coords.longitude.toFixed(6), coords.latitude.toFixed(6)); },
      denied,
      { enableHighAccuracy: true, timeout: 15000 },
    );
  }

  const near = document.getElementById("near");
  if (near) {
    near.addEventListener("click", () => locate(near, (lon, lat) => {
      window.location.assign(`/claims?${new URLSearchParams({ tab: near.dataset.tab, lon, lat })}`);
    }));
  }
  const here = document.getElementById("here");
  if (here) {
    here.addEventListener("click", () => locate(here, (lon, lat) => {
      here.form.lon.value = lon;
      here.form.lat.value = lat;
    }));
  }
})();
