// Maps of units: pictures on a canvas, moved and zoomed. Every unit is a real link, which lies over
// its picture while it is pointed at or focused, so that whatever links can do works here.
const GAP = 6; // pixels between pictures at most, and no more than a sixteenth of a place
const CLOSEST = 240; // pixels of a place, fully zoomed
const SMALLEST = 9; // pixels below which a place is a square of its colour
const TIER = 72; // pixels up to which a small copy of a picture will do
const KEPT = 40e6; // pixels of decoded pictures
const LOADING = 12;
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

class UnitMap {
  constructor(root) {
    this.root = root;
    this.sea = root.querySelector(".sea");
    this.canvas = root.querySelector("canvas");
    this.pen = this.canvas.getContext("2d");
    this.hint = root.querySelector(".hint");
    this.cell = Number(root.dataset.cell);
    this.units = [...root.querySelectorAll("a[data-at]")].map((link) => {
      const [x, y] = link.dataset.at.split(" ").map(Number);
      link.dataset.name = link.textContent.trim();
      link.tabIndex = -1;
      link.draggable = false;
      const { src, color } = link.dataset;
      return { link, x, y, src, color: color ?? "#8883", bitmap: null, tier: 0, asked: 0 };
    });
    this.of = new Map(this.units.map((unit) => [unit.link, unit]));
    this.loading = 0;
    this.pixels = 0;
    this.units[0].link.tabIndex = 0;
    this.canvas.hidden = false;
    root.querySelector(".tools").hidden = false;
    root.classList.add("live");
    this.listen();
    new ResizeObserver(() => this.resize()).observe(this.sea);
    this.resize();
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.sea;
    if (!width || (width === this.width && height === this.height)) return;
    const whole = !this.fit || Math.abs(this.scale / this.fit - 1) < 0.01;
    [this.width, this.height] = [width, height];
    this.ratio = Math.min(devicePixelRatio || 1, 2);
    this.canvas.width = width * this.ratio;
    this.canvas.height = height * this.ratio;
    this.fit = Math.min(width, height) * 0.97;
    if (whole) this.showAll();
    else this.moveTo(this.scale, this.left, this.top);
  }

  showAll() {
    this.moveTo(this.fit, (this.width - this.fit) / 2, (this.height - this.fit) / 2);
  }

  // The map's side is `scale` pixels, its corner at (left, top); some of it stays in sight.
  moveTo(scale, left, top) {
    this.scale = Math.min(Math.max(CLOSEST / this.cell, this.fit), Math.max(this.fit, scale));
    const [u, v] = [this.width / 2, this.height / 2];
    this.left = Math.min(u, Math.max(u - this.scale, left));
    this.top = Math.min(v, Math.max(v - this.scale, top));
    this.root.classList.toggle("near", this.scale > this.fit * 1.01);
    this.redraw();
  }

  zoom(factor, x = this.width / 2, y = this.height / 2) {
    const limit = Math.max(CLOSEST / this.cell, this.fit);
    const scale = Math.min(limit, Math.max(this.fit, this.scale * factor));
    if (scale === this.fit) return this.showAll();
    const by = scale / this.scale;
    this.moveTo(scale, x - (x - this.left) * by, y - (y - this.top) * by);
  }

  // A picture's side in pixels.
  get side() {
    const place = this.cell * this.scale;
    return place - Math.min(GAP, place / 16);
  }

  box(unit) {
    const { side } = this;
    return {
      side,
      x: this.left + unit.x * this.scale - side / 2,
      y: this.top + unit.y * this.scale - side / 2,
    };
  }

  // The unit whose place, gaps included, is at a point.
  at(x, y) {
    const [u, v] = [(x - this.left) / this.scale, (y - this.top) / this.scale];
    const reach = this.cell * 0.501; // places touch
    return this.units.find((unit) => Math.abs(unit.x - u) <= reach && Math.abs(unit.y - v) <= reach);
  }

  redraw() {
    this.due ??= requestAnimationFrame(() => {
      this.due = null;
      this.draw();
    });
  }

  draw() {
    const { pen, ratio, width, height } = this;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.imageSmoothingQuality = "medium";
    const wanted = [];
    const { side } = this;
    const tier = side * ratio <= TIER ? TIER : Infinity;
    for (const unit of this.units) {
      const { x, y } = this.box(unit);
      unit.seen = x < width && y < height && x + side > 0 && y + side > 0;
      if (!unit.seen) continue;
      if (unit.bitmap && side >= SMALLEST) {
        pen.drawImage(unit.bitmap, x, y, side, side);
      } else {
        pen.fillStyle = unit.color;
        pen.fillRect(x, y, side, side);
      }
      if (side >= SMALLEST && unit.src && unit.tier < tier && unit.asked < tier) {
        wanted.push([Math.hypot(x + side / 2 - width / 2, y + side / 2 - height / 2), unit]);
      }
    }
    wanted.sort((a, b) => a[0] - b[0]);
    for (const [, unit] of wanted.slice(0, Math.max(0, LOADING - this.loading))) {
      this.load(unit, tier);
    }
    for (const link of this.root.querySelectorAll(".here")) this.place(this.of.get(link));
  }

  async load(unit, tier) {
    unit.asked = tier;
    this.loading += 1;
    try {
      const image = new Image();
      image.src = unit.src;
      await image.decode();
      const small = tier === TIER && image.naturalWidth > TIER;
      const size = small ? { resizeWidth: TIER, resizeQuality: "high" } : {};
      const bitmap = await createImageBitmap(image, size);
      this.drop(unit);
      unit.bitmap = bitmap;
      unit.tier = tier;
      this.pixels += bitmap.width * bitmap.height;
    } catch {
      unit.tier = Infinity; // its colour stands for it
    }
    unit.asked = 0;
    this.loading -= 1;
    for (const other of this.units) {
      if (this.pixels <= KEPT) break;
      if (!other.seen) this.drop(other);
    }
    this.redraw();
  }

  drop(unit) {
    if (!unit.bitmap) return;
    this.pixels -= unit.bitmap.width * unit.bitmap.height;
    unit.bitmap.close();
    unit.bitmap = null;
    unit.tier = 0;
  }

  // Lay a unit's link over its picture.
  place(unit) {
    const { x, y, side } = this.box(unit);
    const { style, classList } = unit.link;
    style.left = `${x}px`;
    style.top = `${y}px`;
    style.width = style.height = `${side}px`;
    classList.toggle("low", y + side > this.height - 32);
    classList.toggle("first", x < 60);
    classList.toggle("last", x + side > this.width - 60);
  }

  show(unit) {
    for (const other of this.root.querySelectorAll(".here")) {
      if (other === unit?.link || other === document.activeElement) continue;
      other.classList.remove("here");
      other.removeAttribute("style");
    }
    if (!unit) return;
    this.place(unit);
    unit.link.classList.add("here");
  }

  focus(unit) {
    for (const link of this.root.querySelectorAll('a[tabindex="0"]')) link.tabIndex = -1;
    unit.link.tabIndex = 0;
    this.reveal(unit);
    unit.link.focus({ preventScroll: true });
  }

  // Move so that the unit is well inside.
  reveal(unit) {
    const { x, y, side } = this.box(unit);
    const margin = Math.min(side, this.width / 4);
    const dx = Math.max(0, margin - x) + Math.min(0, this.width - margin - side - x);
    const dy = Math.max(0, margin - y) + Math.min(0, this.height - margin - side - y);
    if (this.scale > this.fit) this.moveTo(this.scale, this.left + dx, this.top + dy);
  }

  // The nearest unit in that direction; off the axis counts double.
  towards(from, [dx, dy]) {
    let best = null;
    let least = Infinity;
    for (const unit of this.units) {
      const along = (unit.x - from.x) * dx + (unit.y - from.y) * dy;
      if (along < this.cell / 2) continue;
      const aside = Math.abs((unit.x - from.x) * dy) + Math.abs((unit.y - from.y) * dx);
      if (along + 2 * aside < least) [best, least] = [unit, along + 2 * aside];
    }
    return best;
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const unit = this.of.get(event.target);
    const middle = unit && this.box(unit);
    const point = middle ? [middle.x + middle.side / 2, middle.y + middle.side / 2] : [];
    if (event.key === "+" || event.key === "=") this.zoom(1.5, ...point);
    else if (event.key === "-") this.zoom(1 / 1.5, ...point);
    else if (event.key === "0") this.showAll();
    else if (event.key in STEPS && unit) {
      const next = this.towards(unit, STEPS[event.key]);
      if (next) this.focus(next);
    } else return;
    event.preventDefault();
  }

  listen() {
    const { root, sea } = this;
    root.addEventListener("keydown", (event) => this.key(event));
    root.addEventListener("focusin", (event) => {
      const unit = this.of.get(event.target);
      if (!unit) return;
      if (event.target.matches(":focus-visible")) this.reveal(unit); // not under a pressed mouse
      this.show(unit);
    });
    root.addEventListener("focusout", () => setTimeout(() => this.show(this.pointed)));
    root.addEventListener("click", (event) => {
      const way = event.target.closest("[data-zoom]")?.dataset.zoom;
      this.awake ||= Boolean(way);
      if (way === "0") this.showAll();
      else if (way) this.zoom(way === "+" ? 1.5 : 1 / 1.5);
    });
    sea.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    sea.addEventListener("pointerleave", () => {
      this.pointed = null;
      this.awake = false;
      this.show(null);
    });
    sea.addEventListener("dragstart", (event) => event.preventDefault());
    this.fingers = new Map();
    sea.addEventListener("pointerdown", (event) => this.down(event));
    sea.addEventListener("pointermove", (event) => this.move(event));
    for (const end of ["pointerup", "pointercancel"]) {
      addEventListener(end, (event) => {
        this.fingers.delete(event.pointerId);
        this.grip = null;
        sea.classList.remove("dragging");
      });
    }
    sea.addEventListener("click", (event) => {
      if (this.moved) event.preventDefault();
      else if (!event.target.closest("a")) this.at(...this.point(event))?.link.click();
      this.moved = false;
    });
  }

  point(event) {
    const box = this.sea.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  wheel(event) {
    // The page's own scrolling is not taken away before the reader has touched the map.
    const wanted = this.awake || event.ctrlKey || event.metaKey;
    if (!wanted) {
      this.hint.hidden = false;
      clearTimeout(this.hiding);
      this.hiding = setTimeout(() => { this.hint.hidden = true; }, 1500);
      return;
    }
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 : 1;
    this.zoom(Math.exp(-event.deltaY * lines / 300), ...this.point(event));
  }

  down(event) {
    if (event.pointerType === "mouse" && event.button !== 0) return;
    this.fingers.set(event.pointerId, this.point(event));
    this.moved = false;
    this.awake = true;
    this.grip = null;
  }

  // Middle and size of the hand: one finger has no size.
  hand() {
    const [[ax, ay], [bx, by] = [ax, ay]] = [...this.fingers.values()];
    return { x: (ax + bx) / 2, y: (ay + by) / 2, size: Math.hypot(ax - bx, ay - by) };
  }

  move(event) {
    if (!this.fingers.has(event.pointerId)) {
      if (event.pointerType === "mouse") {
        this.pointed = this.at(...this.point(event)) ?? null;
        this.show(this.pointed);
      }
      return;
    }
    this.fingers.set(event.pointerId, this.point(event));
    const hand = this.hand();
    this.grip ??= { ...hand, left: this.left, top: this.top, scale: this.scale };
    const { grip } = this;
    if (!this.moved && Math.hypot(hand.x - grip.x, hand.y - grip.y) < 5 && this.fingers.size < 2) return;
    this.moved = true;
    this.show(null);
    this.sea.classList.add("dragging");
    const by = grip.size ? Math.max(this.fit / grip.scale, hand.size / grip.size) : 1;
    this.moveTo(grip.scale * by, hand.x - (grip.x - grip.left) * by, hand.y - (grip.y - grip.top) * by);
  }
}

for (const root of document.querySelectorAll("[data-unit-map]")) {
  if (root.querySelector("a[data-at]")) new UnitMap(root);
  // Come from a unit's page: its place is lit.
  const asked = location.hash && document.getElementById(location.hash.slice(1));
  if (asked && root.contains(asked)) asked.focus();
}
