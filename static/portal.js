// Small comforts only: every page works without this file.
"use strict";

function offerCopies(root) {
  for (const button of root.querySelectorAll("button.copy[hidden]")) button.hidden = false;
}

async function copy(button) {
  await navigator.clipboard.writeText(button.dataset.copy);
  const label = button.textContent;
  button.textContent = button.dataset.done;
  setTimeout(() => { button.textContent = label; }, 1200);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button.copy");
  if (button) copy(button);
  // A tap on a time shows the exact one, which a mouse finds in the tooltip.
  const time = event.target.closest("time.when[title]");
  if (time) [time.title, time.textContent] = [time.textContent, time.title];
});

// The same moment in the zone of whoever reads, where the portal names another one.
function tellHere(root) {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  for (const place of root.querySelectorAll("[data-here]")) {
    const here = new Date(place.dataset.here).toLocaleString("sv-SE", { timeZone: zone });
    place.hidden = place.dataset.here.startsWith(here.replace(" ", "T"));
    place.textContent = `= ${here} ${zone}`;
  }
}

// A time is typed in the zone of whoever types it, unless the portal knows better.
function startInZone(root) {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  for (const box of root.querySelectorAll("select[data-zone-here]")) {
    if ([...box.options].some((each) => each.value === zone)) box.value = zone;
  }
}

// A live part is replaced as a whole: what a person has opened in it stays open.
const opened = new Map();
document.addEventListener("htmx:beforeSwap", (event) => {
  for (const box of event.detail.target.querySelectorAll("details[id]")) opened.set(box.id, box.open);
});
document.addEventListener("htmx:afterSwap", () => {
  for (const [id, open] of opened) {
    const box = document.getElementById(id);
    if (box) box.open = open;
  }
  opened.clear();
  offerCopies(document);
  tellHere(document);
});

// Files that the portal would refuse are not sent first: that could take minutes.
document.addEventListener("change", (event) => {
  const input = event.target.closest("input[type=file][data-most]");
  if (!input) return;
  const size = [...input.files].reduce((sum, file) => sum + file.size, 0);
  const said = input.form.querySelector("[data-too-large]");
  said.textContent = said.dataset.tooLarge;
  said.hidden = size <= Number(input.dataset.most);
  for (const button of input.form.querySelectorAll("button[type=submit]")) button.disabled = !said.hidden;
});

// Said once when the connection is lost, and taken back when it returns.
function connected(is) {
  const note = document.getElementById("offline");
  if (note) note.hidden = is;
}
document.addEventListener("htmx:sendError", () => connected(false));
document.addEventListener("htmx:responseError", () => connected(false));
document.addEventListener("htmx:afterRequest", (event) => { if (event.detail.successful) connected(true); });

document.addEventListener("DOMContentLoaded", () => {
  offerCopies(document);
  tellHere(document);
  startInZone(document);
});
