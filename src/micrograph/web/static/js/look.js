// A picture of the reader's own: dropped on the page, sent to the site, which keeps nothing of it.
import { layHeat } from "./heat.js";

const zone = document.querySelector("[data-look]");
const STREAM = "application/x-ndjson";
const twins = new Map();

function el(tag, className = "", text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

function figures(value) {
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2).replace("-", "−");
}

function percent(share) {
  const value = 100 * share;
  if (value > 0 && value < 0.1) return "below 0.1 %";
  return `${value.toFixed(value >= 10 ? 0 : 1)} %`;
}

// The small pictures of a node's units, from its twin; asked for once.
function tiles(node) {
  if (!twins.has(node)) {
    twins.set(node, fetch(`${document.body.dataset.models}/${zone.dataset.model}/${node}.json?size=s`)
      .then((answer) => answer.json())
      .then((page) => new Map(page.units.map((unit) => [unit.unit, unit]))));
  }
  return twins.get(node);
}

// A row of units of a node, with their pictures as soon as the row is near the window.
function row(node, units, most) {
  const part = el("div");
  const head = el("h3");
  const link = el("a", "mono", node);
  link.href = `${document.body.dataset.models}/${zone.dataset.model}/${node}`;
  head.append(link);
  const list = el("ol", "carriers");
  for (const { unit, value, strength } of units) {
    const item = el("a");
    item.href = `${link.href}/${unit}`;
    item.setAttribute("aria-label", `${node}/${unit}: ${figures(value)}`);
    const stick = el("span", strength < 0 ? "stick less" : "stick");
    stick.style.setProperty("--share", Math.min(1, Math.abs(strength) / (most || 1)));
    const number = el("span", "n");
    number.append(el("b", "", String(unit)), ` ${figures(value)}`);
    item.append(el("span", "blank"), stick, number);
    item.dataset.unit = unit;
    const entry = el("li");
    entry.append(item);
    list.append(entry);
  }
  part.append(head, list);
  new IntersectionObserver(async (seen, observer) => {
    if (!seen.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    const known = await tiles(node).catch(() => new Map());
    for (const item of list.querySelectorAll("a")) {
      const image = known.get(Number(item.dataset.unit))?.image;
      if (!image) continue;
      const img = el("img");
      Object.assign(img, { src: image.url, width: image.width, height: image.height, alt: "" });
      img.style.background = image.color;
      item.querySelector(".blank").replaceWith(img);
    }
  }, { rootMargin: "300px" }).observe(part);
  return part;
}

function compared(strong) {
  const { relative_to: to, dataset } = strong[0];
  return to === "dataset" ? `its largest in ${dataset || "the dataset"}` : "the other units of the node";
}

// `meaning` says what the numbers below the units are.
function section(title, meaning, parts) {
  const made = el("div", "shares");
  made.append(el("h3", "", title), el("p", "small", meaning), ...parts);
  return made;
}

// What the model was shown: the middle of the picture, as its preprocessing cuts it.
async function seen(file) {
  const { size, resize } = zone.dataset;
  const bitmap = await createImageBitmap(file);
  const side = Math.min(bitmap.width, bitmap.height) * Math.min(1, Number(size) / Number(resize));
  const canvas = el("canvas");
  canvas.width = canvas.height = 448;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", "Your picture, as the model sees it");
  canvas.getContext("2d").drawImage(
    bitmap, (bitmap.width - side) / 2, (bitmap.height - side) / 2, side, side, 0, 0, 448, 448,
  );
  return canvas;
}

function words(told) {
  if (!told.unit) return "";
  const { value, quantile, dataset } = told.unit;
  const rank = quantile == null ? "" : `, more than on ${Math.round(100 * quantile)} % of the pictures of ${dataset || "the dataset"}`;
  return `Activation ${figures(value)}${rank}. Lit where it fires, dark where it is silent.`;
}

async function show(file, told) {
  const result = zone.querySelector(".looked");
  const holder = el("span", "under-heat");
  holder.append(await seen(file));
  if (told.unit) layHeat(holder, told.unit.map);
  const figure = el("figure");
  figure.append(holder, el("figcaption", "small", words(told)));
  const beside = el("div");
  if (told.classes.length) {
    const list = el("ol", "scored");
    for (const item of told.classes.slice(0, 5)) {
      const entry = el("li");
      entry.append(el("span", "", item.label || `class ${item.class}`), el("span", "n", percent(item.share)));
      list.append(entry);
    }
    const part = el("div", "shares");
    part.append(el("h3", "", "What the model takes it for"), list);
    part.append(el("p", "small", "Shares of all its classes together (softmax)."));
    beside.append(part);
  }
  const strong = told.nodes.filter((node) => node.units.length);
  if (strong.length) {
    // Shares of a dataset's largest go up to 1; shares of the node are only compared within it.
    const most = ({ relative_to, units }) => (relative_to === "dataset" ? 1 : units[0].strength);
    beside.append(section("Strongest units", `Below each unit: its number, and its largest activation in the picture; the bar compares that with ${compared(strong)}.`, strong.map((node) => row(node.node, node.units, most(node)))));
  }
  const carried = told.attribution?.nodes ?? [];
  if (carried.length) {
    const most = Math.max(...carried.flatMap((part) => part.units.map(([, value]) => Math.abs(value))));
    const { node, unit } = told.attribution;
    beside.append(section(`What carried ${node}/${unit}`, "Below each unit: its number, and how much of the activation it carried.", carried.map((part) => row(
      part.node, part.units.slice(0, 8).map(([unit, value]) => ({ unit, value, strength: value })), most,
    ))));
  }
  result.replaceChildren(figure, beside);
  if (zone.dataset.caricature) figure.append(caricature(file));
  const form = zone.querySelector("[data-on-picture]");
  if (form) result.append(questions(file, form));
}

// What the unit is made of on the reader's picture, and what changes with it: the same questions as
// of the pictures that are here, whose answers the site writes as parts of a page.
function questions(file, form) {
  const made = el("div", "asked");
  const buttons = el("p");
  const answer = el("div", "answer");
  answer.setAttribute("aria-live", "polite");
  const how = el("select");
  how.setAttribute("aria-label", "How it is changed");
  for (const way of ["silence", "halve", "double", "add"]) how.append(el("option", "", way));
  for (const button of form.querySelectorAll("button")) {
    const own = el("button", "act", `${button.textContent.replace("?", "")} on your picture?`);
    own.type = "button";
    own.addEventListener("click", async () => {
      const query = new URLSearchParams({ question: button.value, how: how.value });
      own.disabled = true;
      const told = await send(file, `${form.getAttribute("action")}?${query}`, (step, steps) => {
        say(`Working it out, step ${step} of ${steps} …`);
      });
      own.disabled = false;
      if (told) answer.innerHTML = told.html; // written by the site itself, which escapes names
    });
    buttons.append(own, " ");
  }
  buttons.append(how);
  made.append(buttons, answer);
  return made;
}

function caricature(file) {
  const button = el("button", "act", "Draw it as this node sees it");
  button.type = "button";
  button.addEventListener("click", async () => {
    button.disabled = true;
    const told = await send(file, zone.dataset.caricature, (step, steps) => {
      say(`Drawing, step ${step} of ${steps} …`);
    });
    button.disabled = false;
    if (!told) return;
    const img = el("img");
    Object.assign(img, { src: told.caricature, alt: "Your picture as this node sees it" });
    button.replaceWith(img);
  });
  return button;
}

function say(text) {
  zone.querySelector("[role=status]").textContent = text;
}

// Posts the picture; null where that did not work, which is said. Lines of steps may come before.
async function send(file, url, onStep = null) {
  say("Looking …");
  try {
    const answer = await fetch(url, {
      method: "POST", body: file,
      headers: { "Content-Type": file.type || "application/octet-stream", Accept: onStep ? STREAM : "application/json" },
    });
    const told = onStep && answer.ok ? await lines(answer, onStep) : await answer.json();
    if (!answer.ok || told.kind === "error") throw new Error(told.message);
    say("");
    return told;
  } catch (error) {
    say(error instanceof TypeError ? "The site does not answer; is it still running?" : error.message);
    return null;
  }
}

async function lines(answer, onStep) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let last = null;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return last;
    const parts = (rest + value).split("\n");
    rest = parts.pop();
    for (const part of parts) {
      last = JSON.parse(part);
      if (last.steps) onStep(last.step, last.steps);
    }
  }
}

async function look(file) {
  if (!file || zone.dataset.busy) return;
  zone.dataset.busy = "1";
  zone.scrollIntoView({ block: "nearest" });
  const told = await send(file, zone.dataset.look);
  if (told) await show(file, told).catch(() => say("The browser cannot show this picture."));
  delete zone.dataset.busy;
}

if (zone) {
  const input = zone.querySelector("input");
  input.addEventListener("change", () => { look(input.files[0]); input.value = ""; });
  document.addEventListener("dragover", (event) => {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) document.body.classList.remove("dropping");
  });
  document.addEventListener("drop", (event) => {
    document.body.classList.remove("dropping");
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    look(event.dataTransfer.files[0]);
  });
}
