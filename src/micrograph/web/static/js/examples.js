// A dataset example, large: the whole picture, what the unit saw of it, and where else it fires.
import { layHeat } from "./heat.js";

let dialog = null;
let shown = null;
let wantsHeat = false;

function make() {
  dialog = document.createElement("dialog");
  dialog.className = "example";
  dialog.setAttribute("aria-label", "Dataset example");
  dialog.innerHTML = `
    <div class="frame under-heat"><img alt=""><i></i></div>
    <p><b></b> <span class="said quiet" role="status"></span></p>
    <p class="buttons">
      <button type="button" class="copy" data-step="-1" aria-label="Example before">←</button>
      <button type="button" class="copy" data-step="1" aria-label="Next example">→</button>
      <button type="button" class="copy" data-heat-switch aria-pressed="false">Where it fires</button>
      <button type="button" class="copy" data-close>Close</button>
    </p>`;
  document.body.append(dialog);
  dialog.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (event.target === dialog || (button && "close" in button.dataset)) dialog.close();
    else if (button?.dataset.step) step(Number(button.dataset.step));
    else if (button) {
      wantsHeat = !wantsHeat;
      button.setAttribute("aria-pressed", String(wantsHeat));
      heat();
    }
  });
  dialog.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (way) step(way);
  });
  dialog.addEventListener("close", () => shown?.focus());
}

function say(text) {
  dialog.querySelector(".said").textContent = text;
}

async function heat() {
  const [link, frame] = [shown, dialog.querySelector(".frame")];
  frame.querySelector("canvas.heat")?.remove();
  frame.querySelector("i").hidden = wantsHeat;
  say("");
  if (!wantsHeat) return;
  say("Asking the model …");
  const url = link.closest("[data-examples]").dataset.examples + link.dataset.number;
  const answer = await fetch(url).catch(() => null);
  const told = await answer?.json().catch(() => null);
  if (link !== shown || !wantsHeat) return;
  if (answer?.ok && told?.map) layHeat(frame, told.map);
  say(answer?.ok ? "Lit where it fires, dark where it is silent." : told?.message ?? "The site does not answer.");
}

function show(link) {
  shown = link;
  const { name, class: cls, value } = link.dataset;
  const [crop, img, box] = [link.querySelector(".crop"), dialog.querySelector("img"), dialog.querySelector("i")];
  img.src = link.href;
  img.style.background = crop.style.background;
  for (const key of ["--bl", "--bt", "--bw", "--bh"]) box.style.setProperty(key, crop.style.getPropertyValue(key));
  box.className = crop.classList.contains("all") ? "off" : "";
  dialog.querySelector("b").textContent = [name, cls, value].filter(Boolean).join(" · ");
  heat();
}

function step(by) {
  const all = [...shown.closest("[data-examples]").querySelectorAll("a[data-number]")];
  const next = all[all.indexOf(shown) + by];
  if (next) show(next);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-examples] a[data-number]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  if (!dialog) make();
  show(link);
  dialog.showModal();
});
