// The node's map at the size of the pictures: rows and columns of cells, of which one is chosen.
const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

// `at` and `size` are the controls that it goes with. `chose` is called with row and column when
// another one was chosen, `go` when the reader wants to see it. Gives what says how many cells there
// are.
export function positions(map, at, size, chose, go) {
  let [rows, columns] = [1, 1];

  function cells(some, others) {
    [rows, columns] = [some, others];
    map.style.setProperty("--rows", rows);
    map.style.setProperty("--columns", columns);
    place();
  }

  // Until a picture says it.
  function guess() {
    const share = (Number(size.value) || Math.min(128, map.dataset.side)) / map.dataset.side;
    cells(...["rows", "columns"].map((name) => Math.max(1, Math.ceil(map.dataset[name] * share))));
  }

  function chosen() {
    const found = at.value.match(/^(\d+)-(\d+)$/);
    const [row, column] = found ? [Number(found[1]), Number(found[2])] : [Math.floor(rows / 2), Math.floor(columns / 2)];
    return [Math.min(row, rows - 1), Math.min(column, columns - 1)];
  }

  function place() {
    const [row, column] = chosen();
    map.style.setProperty("--row", row);
    map.style.setProperty("--column", column);
  }

  function choose(row, column) {
    const inside = (value, most) => Math.max(0, Math.min(most - 1, value));
    at.value = `${inside(row, rows)}-${inside(column, columns)}`;
    place();
    chose(...chosen());
  }

  map.hidden = false;
  guess();
  map.addEventListener("click", (event) => {
    const box = map.getBoundingClientRect();
    choose(
      Math.floor((rows * (event.clientY - box.top)) / box.height),
      Math.floor((columns * (event.clientX - box.left)) / box.width),
    );
    go();
  });
  map.addEventListener("keydown", (event) => {
    const move = MOVES[event.key];
    if (event.key === "Enter" || event.key === " ") go();
    else if (move) choose(chosen()[0] + move[0], chosen()[1] + move[1]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  at.addEventListener("input", place);
  size.addEventListener("change", guess);
  return cells;
}
