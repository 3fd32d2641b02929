// Pictures that are made while one looks: ask the page's twin gently, and only while it is seen.
import { reveal } from "./copy.js";
import { revealHeat } from "./heat.js";

const SOON = 1500;
const LATE = 20000;
const HERE = location.href; // the live microscope holds its experiment in the address bar

// Calls `look` again and again: soon after something happened, ever more seldom while nothing does.
// `look` gives "changed", "same" or "done".
function watch(look) {
  let wait = SOON;
  let timer = 0;
  const turn = async () => {
    if (document.hidden) return;
    const result = await look().catch(() => "same");
    if (result === "done") return;
    wait = result === "changed" ? SOON : Math.min(LATE, wait * 1.3);
    timer = setTimeout(turn, wait);
  };
  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    wait = SOON;
    if (!document.hidden) timer = setTimeout(turn, 200);
  });
  timer = setTimeout(turn, wait);
  return () => { clearTimeout(timer); wait = SOON; turn(); };
}

// The twin, or null when it is what we saw last.
function reader(url) {
  let seen = "";
  return async () => {
    const answer = await fetch(url, { cache: "no-cache" });
    const tag = answer.headers.get("etag");
    if (!answer.ok || (tag && tag === seen)) return null;
    seen = tag;
    return answer.json();
  };
}

function picture(image) {
  const img = document.createElement("img");
  Object.assign(img, { src: image.url, width: image.width, height: image.height, alt: "", decoding: "async" });
  img.style.background = image.color;
  return img;
}

function watchNode(grid) {
  const read = reader(grid.dataset.live);
  const progress = document.querySelector("[data-progress]");
  const again = watch(async () => {
    const page = await read();
    if (!page) return "same";
    let changed = false;
    for (const unit of page.units) {
      const tile = unit.image && grid.querySelector(`a.missing[data-unit="${unit.unit}"]`);
      if (!tile) continue;
      tile.querySelector(".blank").replaceWith(picture(unit.image));
      tile.classList.remove("missing");
      changed = true;
    }
    progress.querySelector("[data-count]").textContent = page.pictured;
    progress.hidden = !page.missing;
    return page.missing ? (changed ? "changed" : "same") : "done";
  });
  document.addEventListener("stored", again); // rest.js has heard of more
}

function watchUnit(lens) {
  const read = reader(lens.dataset.live);
  let shown = Number(lens.dataset.shown);
  let said = "";
  const say = (text) => {
    const place = document.querySelector("[data-said]");
    if (place) place.textContent = text;
  };
  const tell = (render) => {
    const busy = render.state === "queued" || render.state === "running";
    const button = document.querySelector("[data-render]");
    if (button) button.disabled = busy;
    const words = { queued: "Waits for its turn.", running: "Rendering; it appears here.", failed: render.message };
    if (words[render.state] ?? said) say(said = words[render.state] ?? "");
    return busy;
  };
  const again = watch(async () => {
    const page = await read();
    if (!page) return "same";
    const found = page.visualizations ?? page.circuit.edges;
    const whole = page.circuit && !page.missing;
    if (found.length !== shown || whole) {
      shown = found.length;
      await refresh();
    }
    if (whole) return "done";
    const busy = tell(page.render);
    return busy || !shown ? "changed" : "same";
  });
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-render]");
    if (!button) return;
    button.disabled = true;
    const answer = await fetch(button.dataset.render, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: "{}",
    }).catch(() => null);
    const told = answer && await answer.json().catch(() => null);
    if (answer?.ok) tell(told);
    else {
      button.disabled = false;
      say(told?.message ?? "The site does not answer; is it still running?");
    }
    again();
  });
}

// The same page, asked for again; only the parts with pictures are exchanged.
async function refresh() {
  const answer = await fetch(HERE, { cache: "no-cache" });
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  let before = document.querySelector("main > [data-fresh]").previousElementSibling;
  const parts = [...fresh.querySelectorAll("main > section")];
  for (const now of parts) {
    const old = document.getElementById(now.id);
    if (!old) before.after(now);
    else if (old.innerHTML !== now.innerHTML && "fresh" in now.dataset) old.replaceWith(now);
    before = document.getElementById(now.id);
  }
  const there = new Set(parts.map((part) => part.id));
  for (const old of document.querySelectorAll("main > [data-fresh]")) if (!there.has(old.id)) old.remove();
  reveal();
  revealHeat();
}

const grid = document.querySelector("[data-grid][data-open]");
const lens = document.querySelector(".lens[data-live]");
if (grid) watchNode(grid);
if (lens) watchUnit(lens);
