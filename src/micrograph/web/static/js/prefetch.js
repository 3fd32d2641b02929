// The page a pointer rests on, and the units before and after, are fetched before they are asked for.
const done = new Set([location.pathname + location.search]);
const saving = navigator.connection?.saveData ?? false;

function prefetch(url) {
  const path = url.pathname + url.search;
  if (saving || done.has(path) || url.origin !== location.origin || !url.pathname.startsWith(document.body.dataset.models)) return;
  done.add(path);
  const link = document.createElement("link");
  link.rel = "prefetch";
  link.href = path;
  document.head.append(link);
}

let timer = 0;
document.addEventListener("pointerover", (event) => {
  const target = event.target.closest("a[href]");
  clearTimeout(timer);
  if (target) timer = setTimeout(() => prefetch(new URL(target.href, location.href)), 70);
}, { passive: true });

if (document.body.dataset.kind === "unit") {
  const idle = window.requestIdleCallback ?? ((work) => setTimeout(work, 300));
  idle(() => {
    for (const link of document.querySelectorAll('link[rel="next"], link[rel="prev"]')) prefetch(new URL(link.href));
  });
}
