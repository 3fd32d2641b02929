// Rendering what a node or a model lacks: an estimate, progress, a stop; or just what is scrolled to.
const BUSY = ["queued", "running"];
const PAUSE = 1500;
const AT_ONCE = 16;

function rest(part) {
  const [estimate, start, stop] = ["estimate", "start", "stop"].map((name) => part.querySelector(`[data-${name}]`));
  const scroll = part.querySelector("[data-scroll]");
  const status = part.querySelector("[role=status]");
  const seen = new Set(); // tiles in the window that have no picture
  const asked = new Set();
  let units = ""; // those that are being rendered, "" for all
  let timer = 0;
  let stored = 0;
  let stopped = false; // an answer that was on its way says nothing new

  async function ask(what, more = {}) {
    const answer = await fetch(part.dataset.rest, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ do: what, ...more }),
    });
    const told = await answer.json();
    if (!answer.ok) throw new Error(told.message);
    return told;
  }

  function look(render) {
    const busy = BUSY.includes(render.state);
    estimate.hidden = start.hidden = busy;
    stop.hidden = !busy;
    part.dataset.state = render.state;
    clearTimeout(timer);
    if (render.stored !== stored) document.dispatchEvent(new Event("stored"));
    stored = render.stored;
    if (busy) {
      if (!stopped) status.textContent = render.state === "queued" ? "Waits for its turn." : `${render.stored} rendered so far; they appear here.`;
      timer = setTimeout(poll, PAUSE);
    } else if (render.state === "failed") status.textContent = render.message;
    else if (render.state === "done") {
      status.textContent = units ? "" : "Done.";
      next();
    }
  }

  async function act(work) {
    try {
      look((await work()).render);
    } catch (error) {
      status.textContent = error instanceof TypeError ? "The site does not answer; is it still running?" : error.message;
    }
  }

  const chosen = () => (units ? { units } : {});
  const poll = () => act(() => ask("state", chosen()));

  // What is in the window and lacks a picture, a few at a time.
  function next() {
    if (!scroll?.checked || BUSY.includes(part.dataset.state)) return;
    const wanted = [...seen].filter((unit) => !asked.has(unit)).sort((a, b) => a - b).slice(0, AT_ONCE);
    if (!wanted.length) return;
    stopped = false;
    wanted.forEach((unit) => asked.add(unit));
    units = wanted.join(",");
    act(() => ask("start", chosen()));
  }

  estimate.addEventListener("click", async () => {
    estimate.disabled = true;
    status.textContent = "Measuring a few steps …";
    try {
      status.textContent = `${(await ask("estimate")).estimate.said}.`;
    } catch (error) {
      status.textContent = error.message;
    }
    estimate.disabled = false;
  });
  start.addEventListener("click", () => {
    units = "";
    stopped = false;
    act(() => ask("start"));
  });
  stop.addEventListener("click", () => {
    if (scroll) scroll.checked = false;
    stopped = true;
    status.textContent = "Stopped; what is done is kept.";
    act(() => ask("stop", chosen()));
  });
  if (scroll) {
    const watching = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        const unit = Number(target.dataset.unit);
        if (isIntersecting && target.classList.contains("missing")) seen.add(unit);
        else seen.delete(unit);
      }
      next();
    });
    for (const tile of document.querySelectorAll(".grid a.missing[data-unit]")) watching.observe(tile);
    scroll.addEventListener("change", next);
  }
  if (BUSY.includes(part.dataset.state)) poll();
}

const part = document.querySelector("[data-rest]");
if (part) rest(part);
