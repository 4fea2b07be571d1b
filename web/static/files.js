// Photos and documents of a form: sent in the background as soon as they are chosen, named by their content
// when the form itself is sent. Without this script the form sends them itself.

(function () {
  "use strict";
  const LONGEST = 4096; // pixels; a phone's larger photo is made smaller before it is sent if it is too heavy

  function start(box) {
    if (box.dataset.ready) return;
    box.dataset.ready = "true";
    const list = box.querySelector("ul");
    for (const input of box.querySelectorAll("input[type=file]")) {
      input.removeAttribute("name"); // from now on the form sends hashes
      input.addEventListener("change", () => {
        for (const file of input.files) send(box, list, file);
        input.value = "";
      });
    }
    list.addEventListener("click", ({ target }) => {
      if (target.closest("button")) target.closest("li").remove();
    });
    for (const name of ["dragover", "drop"]) {
      box.addEventListener(name, (event) => {
        event.preventDefault();
        if (name === "drop") for (const file of event.dataTransfer.files) send(box, list, file);
      });
    }
    box.closest("form").addEventListener("submit", (event) => {
      if (box.querySelector("[aria-busy=true]")) {
        event.preventDefault();
        event.stopImmediatePropagation();
        box.querySelector("[role=status]").textContent = box.dataset.wait;
      }
    }, true);
  }

  async function send(box, list, file) {
    const row = document.createElement("li");
    const name = document.createElement("span");
    const picture = document.createElement("img");
    const drop = document.createElement("button");
    name.textContent = file.name;
    picture.alt = "";
    drop.type = "button";
    drop.className = "plain";
    drop.textContent = box.dataset.remove;
    drop.setAttribute("aria-label", `${box.dataset.remove}: ${file.name}`);
    if (file.type.startsWith("image/")) picture.src = URL.createObjectURL(file);
    const done = document.createElement("progress");
    done.max = 1;
    done.value = 0;
    done.setAttribute("aria-label", file.name);
    row.append(picture, name, drop, done);
    row.setAttribute("aria-busy", "true");
    list.append(row);
    try {
      const answer = await post(box, await light(file, Number(box.dataset.limit) * 1024 * 1024), (share) => { done.value = share; });
      const kept = document.createElement("input");
      kept.type = "hidden";
      kept.name = "files";
      kept.value = `${answer.sha256}:${file.name}`;
      row.append(kept);
      box.dispatchEvent(new CustomEvent("kept", { bubbles: true }));
    } catch (problem) {
      row.classList.add("failed");
      const told = document.createElement("em");
      told.setAttribute("role", "alert");
      told.textContent = problem.message;
      row.append(told);
    } finally {
      row.removeAttribute("aria-busy");
      done.remove();
    }
  }

  /** Send a file and return what the server says of it; `progress` hears which share has gone out. */
  function post(box, file, progress) {
    const body = new FormData();
    body.append("files", file, file.name);
    const call = new XMLHttpRequest(); // fetch does not tell how far an upload has come
    call.open("POST", "/api/files");
    call.responseType = "json";
    call.setRequestHeader("x-csrf-token", box.closest("form").querySelector("[name=csrf]").value);
    call.upload.addEventListener("progress", ({ loaded, total }) => progress(total ? loaded / total : 1));
    return new Promise((keep, refuse) => {
      call.addEventListener("load", () => {
        const told = call.response || {};
        if (call.status < 300 && told.items) keep(told.items[0]);
        else refuse(new Error(told.detail || box.dataset.lost));
      });
      for (const lost of ["error", "abort", "timeout"]) call.addEventListener(lost, () => refuse(new Error(box.dataset.lost)));
      call.send(body);
    });
  }

  // Return the file, or a smaller picture of it if it is heavier than what is taken.
  async function light(file, limit) {
    if (file.size <= limit || !file.type.startsWith("image/")) return file;
    const picture = await createImageBitmap(file);
    const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(picture.width * scale);
    canvas.height = Math.round(picture.height * scale);
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    const content = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.85));
    return content ? new File([content], file.name.replace(/\.\w+$/, "") + ".jpg", { type: "image/jpeg" }) : file;
  }

  const all = (root) => root.querySelectorAll("[data-files]").forEach(start);
  document.addEventListener("DOMContentLoaded", () => all(document));
  document.addEventListener("htmx:load", (event) => all(event.detail.elt.parentElement || document));
})();
