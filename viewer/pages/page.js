// What the pages do beyond links and forms: they refresh what is live, load on while one scrolls, copy, and filter at once.
"use strict";

async function fetched(address) {
  const answer = await fetch(address, { headers: { accept: "text/html" } });
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

// Live parts are fetched again and put in place; when the page no longer says that they are live, it is loaded anew once.
function refresh(part) {
  setTimeout(async () => {
    try {
      if (!document.hidden) {
        const now = (await fetched(location.href)).getElementById(part.id);
        if (!now || !now.dataset.refresh) { location.reload(); return; }
        if (now.innerHTML !== part.innerHTML) part.innerHTML = now.innerHTML;
      }
    } catch { /* the server is away for a moment */ }
    refresh(part);
  }, 1000 * Number(part.dataset.refresh));
}
document.querySelectorAll("[data-refresh]").forEach(refresh);

// The next page of a table is put under it when its end comes into sight; without a script the link leads there.
const watch = new IntersectionObserver((seen) => {
  for (const one of seen) if (one.isIntersecting) { watch.unobserve(one.target); more(one.target); }
}, { rootMargin: "400px" });

async function more(link) {
  const body = document.getElementById(link.dataset.more);
  const page = await fetched(new URL(link.getAttribute("href"), link.dataset.base || location.href));
  const rows = page.getElementById(link.dataset.more);
  if (!rows) return;
  body.append(...rows.children);
  const next = page.querySelector(`[data-more="${link.dataset.more}"]`);
  if (next) { link.setAttribute("href", next.getAttribute("href")); watch.observe(link); } else { link.remove(); }
}
document.querySelectorAll("[data-more]").forEach((link) => watch.observe(link));

// What takes long to compute comes after the page.
document.querySelectorAll("[data-load]").forEach(async (part) => {
  const now = (await fetched(part.dataset.load)).getElementById(part.id);
  if (now) part.replaceWith(now);
});

document.querySelectorAll("form[data-auto]").forEach((form) => form.addEventListener("change", () => form.requestSubmit()));

document.querySelectorAll("[data-copy]").forEach((button) => {
  const from = button.parentElement.querySelector("pre.copy, input");
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(from.value ?? from.textContent);
    button.textContent = "Copied";
  });
});

// Side notes are open beside the talk and folded where they would stand between its lines.
if (matchMedia("(max-width: 52rem)").matches) document.querySelectorAll("details.knows").forEach((d) => { d.open = false; });

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest("input, textarea, select")) return;
  const way = { ArrowLeft: "prev", ArrowRight: "next" }[event.key];
  const link = way && document.querySelector(`main a[rel=${way}]:not([data-more])`);
  if (link) link.click();
});
