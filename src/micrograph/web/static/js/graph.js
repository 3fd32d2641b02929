// The graph: larger and smaller by keys, buttons, pinch and Ctrl + wheel; moved by dragging.
const graph = document.querySelector("[data-graph]");
const frame = graph?.querySelector(".frame");
const canvas = graph?.querySelector(".canvas");
const LEAST = 0.1;
const MOST = 3;

function zoom() {
  return Number(getComputedStyle(canvas).getPropertyValue("--zoom")) || 1;
}

// Zooms so that the point under (x, y) of the window stays where it is.
function zoomTo(next, x = innerWidth / 2, y = innerHeight / 2) {
  const level = Math.min(MOST, Math.max(LEAST, next));
  const before = canvas.getBoundingClientRect();
  const [u, v] = [(x - before.left) / before.width, (y - before.top) / before.height];
  canvas.style.setProperty("--zoom", level);
  const after = canvas.getBoundingClientRect();
  frame.scrollLeft += after.left + u * after.width - x;
  scrollBy({ top: after.top + v * after.height - y, behavior: "instant" });
}

// The whole graph in the window.
function fit() {
  const size = canvas.getBoundingClientRect();
  const level = zoom() * Math.min(frame.clientWidth / size.width, (innerHeight - 80) / size.height);
  canvas.style.setProperty("--zoom", Math.min(MOST, Math.max(LEAST, level)));
  graph.scrollIntoView({ block: "start" });
}

export function graphKey(key) {
  if (!graph) return false;
  if (key === "+" || key === "=") zoomTo(zoom() * 1.25);
  else if (key === "-") zoomTo(zoom() / 1.25);
  else if (key === "0") fit();
  else return false;
  return true;
}

function drag() {
  let from = null;
  let moved = false;
  frame.addEventListener("pointerdown", (event) => {
    // Fingers scroll by themselves.
    if (event.pointerType !== "mouse" || event.button !== 0) return;
    from = { x: event.clientX, y: event.clientY, left: frame.scrollLeft, top: scrollY };
    moved = false;
  });
  addEventListener("pointermove", (event) => {
    if (!from) return;
    const [dx, dy] = [event.clientX - from.x, event.clientY - from.y];
    if (!moved && Math.hypot(dx, dy) < 5) return;
    moved = true;
    frame.classList.add("dragging");
    frame.scrollLeft = from.left - dx;
    scrollTo({ top: from.top - dy, behavior: "instant" });
  });
  addEventListener("pointerup", () => {
    from = null;
    frame.classList.remove("dragging");
  });
  frame.addEventListener("click", (event) => {
    if (moved) event.preventDefault();
    moved = false;
  }, true);
  frame.addEventListener("dragstart", (event) => event.preventDefault());
}

function pinch() {
  const fingers = new Map();
  let start = null;
  const gap = () => {
    const [a, b] = [...fingers.values()];
    return { size: Math.hypot(a.x - b.x, a.y - b.y), x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
  };
  frame.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "touch") return;
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    start = fingers.size === 2 ? { ...gap(), level: zoom() } : null;
  });
  frame.addEventListener("pointermove", (event) => {
    if (!fingers.has(event.pointerId)) return;
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (!start || fingers.size !== 2) return;
    const now = gap();
    zoomTo(start.level * now.size / start.size, now.x, now.y);
  });
  for (const end of ["pointerup", "pointercancel"]) {
    addEventListener(end, (event) => {
      fingers.delete(event.pointerId);
      start = null;
    });
  }
}

if (graph) {
  graph.querySelector(".zoom").hidden = false;
  graph.addEventListener("click", (event) => {
    const way = event.target.closest("[data-zoom]")?.dataset.zoom;
    if (way) graphKey({ in: "+", out: "-", fit: "0" }[way]);
  });
  frame.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    zoomTo(zoom() * Math.exp(-event.deltaY / 300), event.clientX, event.clientY);
  }, { passive: false });
  // A little wider than its place: begin smaller. Much wider: in the middle, where the input is.
  const share = frame.clientWidth / canvas.getBoundingClientRect().width;
  if (innerWidth >= 640 && share < 1) canvas.style.setProperty("--zoom", zoom() * Math.max(share, 0.6));
  if (!location.hash) frame.scrollLeft = (frame.scrollWidth - frame.clientWidth) / 2;
  drag();
  pinch();
}
