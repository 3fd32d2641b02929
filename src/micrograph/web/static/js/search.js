// Suggestions under the search box; without scripts the form itself leads to the search page.
const input = document.querySelector(".search input");
const list = document.getElementById("found");
let asked = 0;
let timer = 0;

function close() {
  list.hidden = true;
  input.setAttribute("aria-expanded", "false");
  input.removeAttribute("aria-activedescendant");
}

function select(step) {
  const items = [...list.children];
  if (list.hidden || !items.length) return;
  const now = items.findIndex((item) => item.ariaSelected === "true");
  const next = (now + step + items.length) % items.length;
  items.forEach((item, i) => { item.ariaSelected = String(i === next); });
  input.setAttribute("aria-activedescendant", items[next].id);
}

function show(hits) {
  list.replaceChildren(...hits.slice(0, 8).map((hit, i) => {
    const item = document.createElement("li");
    item.id = `found-${i}`;
    item.role = "option";
    item.ariaSelected = "false";
    const link = document.createElement("a");
    link.href = hit.url;
    link.tabIndex = -1;
    const [text, address] = [document.createElement("span"), document.createElement("code")];
    text.textContent = hit.text;
    address.textContent = hit.text === hit.address ? hit.kind : hit.address;
    link.append(text, address);
    item.append(link);
    return item;
  }));
  list.hidden = !hits.length;
  input.setAttribute("aria-expanded", String(!list.hidden));
}

async function ask() {
  const text = input.value.trim();
  const mine = ++asked;
  if (!text) return close();
  try {
    const answer = await fetch(`${input.form.action}.json?q=${encodeURIComponent(text)}`);
    const found = await answer.json();
    if (mine === asked && answer.ok) show(found.hits);
  } catch { /* the form still works */ }
}

input.role = "combobox";
input.setAttribute("aria-controls", "found");
input.setAttribute("aria-expanded", "false");
input.setAttribute("aria-autocomplete", "list");
list.role = "listbox";
list.ariaLabel = "Places found";
input.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(ask, 120);
});
input.addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown") select(1);
  else if (event.key === "ArrowUp") select(-1);
  else if (event.key === "Escape") {
    if (list.hidden) input.blur();
    close();
  } else if (event.key === "Enter") {
    const chosen = list.querySelector('[aria-selected="true"] a');
    if (!chosen || list.hidden) return;
    chosen.click();
  } else return;
  event.preventDefault();
});
input.addEventListener("blur", () => setTimeout(close, 150));
