// The page asks every second whether there is something new, which also says that somebody is there; it runs the clock; and it
// sends a form once.
"use strict";
const state = document.body.dataset.state;

async function look() {
  try {
    const answer = await fetch(document.body.dataset.poll, { cache: "no-store" });
    if (answer.ok && (await answer.json()).state !== state) { location.replace(location.pathname); return; }
  } catch { /* the line is down, or the run has ended: what is on the page stays */ }
  if (!state.startsWith("over")) setTimeout(look, 1000);
}
setTimeout(look, 1000);

const clock = document.querySelector("[data-left]");
if (clock) {
  const end = performance.now() + 1000 * Number(clock.dataset.left);
  setInterval(() => { clock.textContent = `${Math.max(0, Math.ceil((end - performance.now()) / 1000))} s`; }, 250);
}

document.querySelectorAll("form").forEach((form) => form.addEventListener("submit", () => {
  setTimeout(() => form.querySelectorAll("button").forEach((button) => { button.disabled = true; }), 0);
}));

const past = document.querySelector(".past");
if (past) past.scrollTop = past.scrollHeight;
