// Arrow keys move through pictures in two dimensions; Tab passes the whole set in one step.
const sets = [...document.querySelectorAll("[data-grid]")];

function links(set) {
  return [...set.querySelectorAll("a[href]")];
}

function rove(set, target) {
  for (const link of set.querySelectorAll('a[tabindex="0"]')) link.tabIndex = -1;
  target.tabIndex = 0;
}

export function focusIn(set, target) {
  rove(set, target);
  target.focus({ preventScroll: true });
  target.scrollIntoView({ block: "nearest", inline: "nearest" });
}

// The nearest link in that direction. Off-axis distance counts more, so that rows and columns hold.
function towards(set, from, dx, dy) {
  const here = from.getBoundingClientRect();
  const x = here.left + here.width / 2;
  const y = here.top + here.height / 2;
  let best = null;
  let least = Infinity;
  for (const link of links(set)) {
    if (link === from) continue;
    const box = link.getBoundingClientRect();
    if (!box.width) continue;
    const across = dx ? (box.left + box.width / 2 - x) * dx : (box.top + box.height / 2 - y) * dy;
    if (across < 4) continue;
    const gap = dx ? [here.top, here.bottom, box.top, box.bottom] : [here.left, here.right, box.left, box.right];
    const apart = Math.max(0, gap[2] - gap[1], gap[0] - gap[3]);
    const middle = dx ? Math.abs(box.top + box.height / 2 - y) : Math.abs(box.left + box.width / 2 - x);
    const cost = across + 6 * apart + 0.3 * middle;
    if (cost < least) [best, least] = [link, cost];
  }
  return best;
}

// In the regular grid the neighbour is known by counting; no need to measure a thousand tiles.
function counted(set, from, dx, dy) {
  const all = links(set);
  const top = all[0].parentElement.offsetTop;
  let columns = all.findIndex((link) => link.parentElement.offsetTop !== top);
  if (columns < 1) columns = all.length;
  return all[all.indexOf(from) + dx + dy * columns] ?? null;
}

const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

// Moves the focus for an arrow key; false where there is nothing to move in.
export function arrow(key) {
  if (!(key in steps)) return false;
  const active = document.activeElement;
  const set = sets.find((s) => s.contains(active));
  if (!set) {
    const first = sets.find((s) => s.dataset.grid !== "row" && links(s).length);
    if (!first) return false;
    const seen = links(first).find((link) => link.getBoundingClientRect().bottom > 60);
    focusIn(first, seen ?? links(first)[0]);
    return true;
  }
  const move = set.matches(".grid") ? counted : towards;
  let next = move(set, active, ...steps[key]);
  if (!next && !set.matches(".grid")) {
    // At the edge of one set: on to the next set on the page, in reading order.
    const [, dy] = steps[key];
    const other = dy && sets[sets.indexOf(set) + dy];
    if (other) next = dy > 0 ? links(other)[0] : links(other).at(-1);
    if (next) rove(other, next);
  }
  if (next) focusIn(sets.find((s) => s.contains(next)), next);
  return true;
}

for (const set of sets) {
  const all = links(set);
  if (!all.length) continue;
  for (const link of all) link.tabIndex = -1;
  all[0].tabIndex = 0;
  set.addEventListener("focusin", (event) => {
    const link = event.target.closest("a[href]");
    if (link) rove(set, link);
  });
}

// Coming back from a unit or node: the address names it, and the focus goes there.
const asked = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
const back = asked && (asked.matches("a") ? asked : asked.querySelector("a[href]"));
const home = back && sets.find((set) => set.contains(back));
if (home) {
  rove(home, back);
  back.focus({ preventScroll: true });
  back.scrollIntoView({ block: "center", inline: "center" });
}
