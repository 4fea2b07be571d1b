// What every page does: close the menu, fill in a demonstration account, send a form once, tell of a lost server.
(function () {
  "use strict";
  const toast = document.getElementById("toast");
  let clearing = 0;

  /** Show a short message for some seconds. */
  function say(text) {
    toast.textContent = text;
    clearTimeout(clearing);
    clearing = setTimeout(() => { toast.textContent = ""; }, 6000);
  }

  document.addEventListener("click", ({ target }) => {
    const choice = target.closest("[data-username]");
    if (choice) {
      const form = document.querySelector("form[action='/login']");
      form.username.value = choice.dataset.username;
      form.password.value = choice.dataset.password;
      form.querySelector("button").focus();
    }
    const copied = target.closest("[data-copy]");
    if (copied && navigator.clipboard) {
      navigator.clipboard.writeText(document.querySelector(copied.dataset.copy).textContent).then(() => say(copied.dataset.done));
    }
    const menu = document.getElementById("menu");
    if (menu && menu.open && !target.closest(".top")) menu.open = false;
    const manage = document.querySelector(".manage[open]");
    if (manage && !target.closest(".manage")) manage.open = false;
  });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.confirm && !window.confirm(form.dataset.confirm)) {
      event.preventDefault();
      return;
    }
    if (form.method === "post" && !form.hasAttribute("hx-post")) {
      // after the browser has taken the values, so that the button's own value is sent
      setTimeout(() => form.querySelectorAll("button:not([type='button'])").forEach((button) => { button.disabled = true; }));
    }
  });
  window.addEventListener("pageshow", () => document.querySelectorAll("form button:disabled:not([data-locked])").forEach((button) => { button.disabled = false; }));

  // What a map's signs mean stands below it, in the same colours.
  for (const sign of document.querySelectorAll(".signs [data-colour]")) sign.style.setProperty("--sign", sign.dataset.colour);

  // Empty filters stay out of the address.
  document.addEventListener("htmx:configRequest", ({ detail }) => {
    if (detail.verb !== "get") return;
    for (const [name, value] of [...detail.formData.entries()]) if (value === "") detail.formData.delete(name);
  });
  // A button that stands outside its form says its value as well; htmx hears only of those inside.
  document.addEventListener("htmx:configRequest", ({ detail }) => {
    const button = detail.triggeringEvent && detail.triggeringEvent.submitter;
    if (button && button.name) detail.formData.set(button.name, button.value);
  });
  // The badge follows along while the page is seen; a page in the background holds no connection.
  const bell = document.querySelector("[data-stream]");
  let stream = null;

  /** Show how many notices are unread; whoever lists them hears that the number has changed. */
  function showUnread(number) {
    const many = number > 999 ? "999+" : String(number);
    const badge = bell.querySelector("b");
    if (badge.textContent === many) return;
    badge.textContent = many;
    badge.hidden = number === 0;
    const told = bell.dataset.told.replace("{n}", many);
    bell.setAttribute("aria-label", told);
    document.getElementById("told").textContent = told;
    document.body.dispatchEvent(new CustomEvent("gridmgr:unread"));
  }
  function hush() {
    if (stream) stream.close();
    stream = null;
  }
  function listen() {
    if (!bell || stream || document.hidden) return;
    stream = new EventSource(bell.dataset.stream);
    stream.addEventListener("unread", ({ data }) => showUnread(Number(data)));
    stream.addEventListener("end", hush);
  }
  document.addEventListener("visibilitychange", () => (document.hidden ? hush() : listen()));
  window.addEventListener("pagehide", hush);
  window.addEventListener("pageshow", listen);

  for (const lost of ["htmx:sendError", "htmx:timeout"]) document.addEventListener(lost, () => say(toast.dataset.lost));
  document.addEventListener("gridmgr:failed", () => say(toast.dataset.lost));
  window.say = say;
})();
