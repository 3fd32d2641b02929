// The live microscope: a picture that is made while one looks. The address always holds the
// experiment, so that it can be sent.
import { events, figures, waitingWords } from "./microscope-events.js";
import { positions } from "./microscope-map.js";

const MORE = 64;
const MOST = 2048;
const SETTLE = 300; // milliseconds in which the site notices that one has left

function microscope(section) {
  const form = section.querySelector("form");
  const [eye, img] = [form.querySelector(".eye"), form.querySelector("[data-frame]")];
  const bar = form.querySelector("progress");
  const status = form.querySelector("[data-verdict]");
  const counter = form.querySelector("[data-counted]"); // changes too often to be read out
  const main = form.querySelector(".main");
  const goOn = form.querySelector("[data-go-on]");
  const keep = form.querySelector("[data-keep]");
  const map = form.querySelector(".map-of-unit");
  const steps = form.elements.steps;
  const base = section.dataset.microscope;
  let running = null; // what stops the picture that is being made
  let seen = Number(section.dataset.step) || 0; // the step of the picture that is shown
  let shown = ""; // what it is the picture of: the address without the steps
  let restarted = 0;

  // What differs from the usual; a position only where it counts.
  function query(without = "") {
    const found = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      if (name === without) continue;
      const usual = form.querySelector(`[name="${name}"]`).dataset.usual;
      if (value.trim() !== usual && (name !== "at" || form.elements.objective?.value === "neuron")) found.set(name, value.trim());
    }
    return found.toString();
  }

  function address() {
    const text = query();
    return base + (text ? `?${text}` : "");
  }

  const hold = () => history.replaceState(history.state, "", address());

  const say = (...parts) => {
    status.replaceChildren(...parts);
    counter.textContent = "";
  };
  const count = (text) => {
    if (status.firstChild) status.replaceChildren();
    counter.textContent = text;
  };

  function look(state) {
    const busy = state === "busy";
    main.textContent = busy ? "Stop" : "Make the picture";
    bar.hidden = !busy;
    const own = seen > 0 && shown === query("steps"); // else what one sees is of other settings
    goOn.hidden = busy || !own || seen >= MOST;
    if (keep) keep.hidden = busy || !own;
  }

  function show(data) {
    bar.max = data.steps;
    bar.value = data.step;
    if (!data.frame) return;
    img.src = data.frame;
    img.alt = `The picture after ${data.step} steps`;
    img.hidden = false;
    eye.classList.remove("waiting");
    seen = data.step;
    section.dataset.step = data.step;
  }

  // How far the network is loaded, where that is known; else only that something goes on.
  function waits(data) {
    count(waitingWords(data));
    bar.max = data.about ?? 1;
    if (data.seconds !== null && data.about > data.seconds) bar.value = data.seconds;
    else bar.removeAttribute("value");
  }

  function done(data) {
    const others = data.driven.slice(1).map(([unit, value]) => `${unit} ${figures(value)}`);
    const more = others.length ? ` With it: ${others.join(", ")}.` : "";
    const score = Object.assign(document.createElement("b"), { textContent: figures(data.score) });
    say("Activation ", score, ` after ${data.step} steps at ${data.recipe.size} px.${more}`);
    if (data.map.length === 2) cells?.(...data.map);
  }

  // Makes the picture of the controls, or with `kept` has it kept. One at a time.
  async function run(kept = false) {
    const before = running;
    before?.abort();
    const mine = running = new AbortController();
    if (kept) steps.value = seen;
    hold();
    const asked = address();
    if (!kept) {
      seen = 0;
      shown = query("steps");
      delete section.dataset.step;
    }
    form.classList.remove("idle");
    section.dataset.state = "busy";
    look("busy");
    say(kept ? "Keeping it …" : "Starting …");
    let begun = false;
    try {
      const sent = kept
        ? { method: "POST", headers: { Accept: "text/event-stream", "Content-Type": "application/json" }, body: "{}" }
        : { headers: { Accept: "text/event-stream" } };
      if (before) await new Promise((then) => setTimeout(then, SETTLE));
      if (mine.signal.aborted) throw new DOMException("", "AbortError");
      const answer = await fetch(asked, { ...sent, signal: mine.signal, cache: "no-store" });
      if (!answer.ok) throw new Error((await answer.json()).message);
      let [stored, whole] = ["", false];
      for await (const [name, data] of events(answer)) {
        if (name === "failed") throw new Error(data.message);
        if (name === "stored") stored = data.subject;
        if (name === "waiting" && !begun) waits(data);
        if (name !== "step" && name !== "frame") continue;
        show(data);
        if (data.step) {
          begun = true;
          count(kept ? "Keeping it …" : `Step ${data.step} of ${data.steps}`);
        }
        if (data.done) {
          whole = true;
          done(data);
        }
      }
      if (!whole) throw new TypeError("the stream broke off");
      if (stored) status.append(" ", Object.assign(document.createElement("a"), { href: section.dataset.kept, textContent: "Kept, with its recipe" }), ".");
      section.dataset.state = "done";
    } catch (error) {
      if (mine !== running) return; // another picture has begun
      if (mine.signal.aborted) stopped();
      else {
        section.dataset.state = "failed";
        say(error instanceof TypeError ? "The site does not answer; is it still running?" : error.message);
      }
    } finally {
      if (mine === running) {
        running = null;
        look("still");
      }
    }
  }

  // What is shown is the picture of so many steps, and so the address says.
  function stopped() {
    section.dataset.state = "stopped";
    if (!seen) {
      say("Stopped before there was a picture.");
      return;
    }
    steps.value = seen;
    hold();
    say(`Stopped after ${seen} ${seen === 1 ? "step" : "steps"}.`);
  }

  // Another position; it is made at once where a picture is under way, or Enter is pressed.
  function chose(row, column) {
    hold();
    if (running) again();
    else {
      look("still");
      say(`Row ${row}, column ${column}.`);
    }
  }

  const cells = map && positions(map, form.elements.at, form.elements.size, chose, () => run());
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!running) run();
    else if (performance.now() - restarted > SETTLE) running.abort();
  });
  // While one looks another setting begins at once; else it waits for the button.
  function again() {
    restarted = performance.now();
    run();
  }

  form.addEventListener("change", () => {
    if (running) again();
    else {
      hold();
      look("still");
    }
  });
  goOn.addEventListener("click", () => {
    steps.value = Math.min(MOST, seen + MORE);
    run();
  });
  keep?.addEventListener("click", () => run(true));
  if (seen) shown = query("steps");
  look("still");
  // Whoever comes near will want it soon: the network is loaded meanwhile.
  const prepare = () => {
    if (!running) fetch(base, { method: "POST", headers: { "Content-Type": "application/json" }, body: '{"do": "prepare"}' }).catch(() => {});
  };
  for (const sign of ["pointerenter", "focusin"]) form.addEventListener(sign, prepare, { once: true });
  if ("autostart" in section.dataset) {
    const begin = () => { if (!document.hidden) run(); };
    if (document.hidden) document.addEventListener("visibilitychange", begin, { once: true });
    else begin();
  }
}

const section = document.querySelector("[data-microscope]");
if (section?.querySelector("form")) microscope(section);
