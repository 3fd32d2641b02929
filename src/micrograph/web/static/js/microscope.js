// The live microscope: a picture that is made while one looks. The address always holds the
// experiment, so that it can be sent.
const MORE = 64;
const MOST = 2048;

// The events of a stream, as [name, data], until it ends.
async function* events(answer) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n\n");
    rest = parts.pop();
    for (const part of parts) {
      const name = part.match(/^event: (.*)$/m)?.[1];
      const data = part.match(/^data: (.*)$/m)?.[1];
      if (name && data) yield [name, JSON.parse(data)];
    }
  }
}

function figures(value) {
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2).replace("-", "−");
}

// What a reader waits for, in words.
function waitingWords({ ahead, seconds, about }) {
  if (seconds === null) return ahead ? `${ahead} ${ahead === 1 ? "picture is" : "pictures are"} before yours …` : "Yours is next …";
  const so = Math.max(1, Math.round(seconds));
  return `Loading the network: ${about && about > seconds ? `${so} of about ${Math.ceil(about)}` : so} s …`;
}

function microscope(section) {
  const form = section.querySelector("form");
  const [eye, img] = [form.querySelector(".eye"), form.querySelector("[data-frame]")];
  const bar = form.querySelector("progress");
  const status = form.querySelector("[data-said]");
  const main = form.querySelector(".main");
  const goOn = form.querySelector("[data-go-on]");
  const keep = form.querySelector("[data-keep]");
  const map = form.querySelector(".map-of-unit");
  const steps = form.elements.steps;
  const base = section.dataset.microscope;
  let running = null; // what stops the picture that is being made
  let seen = Number(section.dataset.step) || 0; // the step of the picture that is shown

  // What differs from the usual; a position only where it counts.
  function query() {
    const found = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      const usual = form.querySelector(`[name="${name}"]`).dataset.usual;
      if (value.trim() !== usual && (name !== "at" || form.elements.objective.value === "neuron")) found.set(name, value.trim());
    }
    return found.toString();
  }

  function address() {
    const text = query();
    return base + (text ? `?${text}` : "");
  }

  const hold = () => history.replaceState(history.state, "", address());

  const say = (...parts) => status.replaceChildren(...parts);

  function look(state) {
    const busy = state === "busy";
    main.textContent = busy ? "Stop" : "Make the picture";
    bar.hidden = !busy;
    goOn.hidden = busy || !seen || seen >= MOST;
    if (keep) keep.hidden = busy || !seen;
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
    say(waitingWords(data));
    bar.max = data.about ?? 1;
    if (data.seconds !== null && data.about > data.seconds) bar.value = data.seconds;
    else bar.removeAttribute("value");
  }

  function done(data) {
    const others = data.driven.slice(1).map(([unit, value]) => `${unit} ${figures(value)}`);
    const more = others.length ? ` With it: ${others.join(", ")}.` : "";
    const score = Object.assign(document.createElement("b"), { textContent: figures(data.score) });
    say("Activation ", score, ` after ${data.step} steps at ${data.recipe.size} px.${more}`);
    if (map && data.map.length === 2) cells(data.map[0], data.map[1]);
  }

  // Makes the picture of the controls, or with `kept` has it kept. One at a time.
  async function run(kept = false) {
    running?.abort();
    const mine = running = new AbortController();
    hold();
    if (!kept) {
      seen = 0;
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
      const answer = await fetch(address(), { ...sent, signal: mine.signal, cache: "no-store" });
      if (!answer.ok) throw new Error((await answer.json()).message);
      let stored = "";
      for await (const [name, data] of events(answer)) {
        if (name === "failed") throw new Error(data.message);
        if (name === "stored") stored = data.subject;
        if (name === "waiting" && !begun) waits(data);
        if (name !== "step" && name !== "frame") continue;
        show(data);
        if (data.step) {
          begun = true;
          say(kept ? "Keeping it …" : `Step ${data.step} of ${data.steps}`);
        }
        if (data.done) done(data);
      }
      if (stored) status.append(" Kept, with its recipe.");
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
    say(`Stopped after ${seen} steps.`);
  }

  // The node's map at the size of the pictures: rows and columns of cells, one of them chosen.
  function cells(rows, columns) {
    map.style.setProperty("--rows", rows);
    map.style.setProperty("--columns", columns);
    Object.assign(map.dataset, { shownRows: rows, shownColumns: columns });
    place();
  }

  function guessed() {
    const { rows, columns, side } = map.dataset;
    const share = (Number(form.elements.size.value) || Math.min(128, side)) / side;
    cells(Math.max(1, Math.ceil(rows * share)), Math.max(1, Math.ceil(columns * share)));
  }

  function chosen() {
    const [rows, columns] = [Number(map.dataset.shownRows), Number(map.dataset.shownColumns)];
    const at = form.elements.at.value.match(/^(\d+)-(\d+)$/);
    const [row, column] = at ? [Number(at[1]), Number(at[2])] : [Math.floor(rows / 2), Math.floor(columns / 2)];
    return [Math.min(row, rows - 1), Math.min(column, columns - 1)];
  }

  function place() {
    const [row, column] = chosen();
    map.style.setProperty("--row", row);
    map.style.setProperty("--column", column);
  }

  function choose(row, column) {
    const [rows, columns] = [Number(map.dataset.shownRows), Number(map.dataset.shownColumns)];
    const inside = (value, most) => Math.max(0, Math.min(most - 1, value));
    form.elements.at.value = `${inside(row, rows)}-${inside(column, columns)}`;
    place();
    hold();
  }

  if (map) {
    map.hidden = false;
    guessed();
    map.addEventListener("click", (event) => {
      const box = map.getBoundingClientRect();
      const [rows, columns] = [map.dataset.shownRows, map.dataset.shownColumns];
      choose(
        Math.floor((rows * (event.clientY - box.top)) / box.height),
        Math.floor((columns * (event.clientX - box.left)) / box.width),
      );
      run();
    });
    map.addEventListener("keydown", (event) => {
      const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
      if (event.key === "Enter" || event.key === " ") run();
      else if (move) choose(chosen()[0] + move[0], chosen()[1] + move[1]);
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    form.elements.at.addEventListener("input", place);
    form.elements.size.addEventListener("change", guessed);
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (running) running.abort();
    else run();
  });
  form.addEventListener("change", () => { if (!running) hold(); });
  goOn.addEventListener("click", () => {
    steps.value = Math.min(MOST, seen + MORE);
    run();
  });
  keep?.addEventListener("click", () => run(true));
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
