// Maps over pictures: where a unit fires the picture stays lit, elsewhere it is dimmed. Signed maps
// run from blue (held back) over clear to red (carried).
function shade(value, signed) {
  if (!signed) return [0, 0, 0, 165 * (1 - Math.max(0, Math.min(1, value)))];
  const strength = Math.min(1, Math.abs(value));
  return value < 0 ? [37, 99, 235, 190 * strength] : [220, 38, 38, 190 * strength];
}

// A canvas with one pixel per cell of `rows`; the sheet stretches it over its picture.
export function heatCanvas(rows, signed = false) {
  const canvas = document.createElement("canvas");
  canvas.className = "heat";
  [canvas.width, canvas.height] = [rows[0].length, rows.length];
  const pen = canvas.getContext("2d");
  const cells = pen.createImageData(canvas.width, canvas.height);
  rows.flat().forEach((value, i) => cells.data.set(shade(value, signed), 4 * i));
  pen.putImageData(cells, 0, 0);
  return canvas;
}

export function layHeat(holder, rows, signed = false) {
  holder.querySelector("canvas.heat")?.remove();
  if (rows?.length && rows[0].length) holder.append(heatCanvas(rows, signed));
}

export function revealHeat(scope = document) {
  for (const holder of scope.querySelectorAll("[data-heat]")) {
    const rows = holder.dataset.heat.split(";").map((row) => row.split(",").map(Number));
    layHeat(holder, rows, "signed" in holder.dataset);
  }
}

revealHeat();
