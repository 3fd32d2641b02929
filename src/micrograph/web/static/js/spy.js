// In the panel of a unit's page the lens whose section is being read is marked.
const links = new Map([...document.querySelectorAll('body[data-kind="unit"] .lenses a[href^="#"]')]
  .filter((link) => link.hash !== "#missing")
  .map((link) => [document.getElementById(link.hash.slice(1)), link]));
links.delete(null);
const explains = document.querySelector(".lenses .explains");

function mark(link) {
  for (const item of document.querySelectorAll(".lenses li.current")) {
    item.classList.remove("current");
    item.querySelector("a").removeAttribute("aria-current");
  }
  link.parentElement.classList.add("current");
  link.setAttribute("aria-current", "true");
  explains.textContent = link.dataset.explains;
}

if (links.size > 1) {
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) mark(links.get(entry.target));
  }, { rootMargin: "-20% 0px -70% 0px" });
  for (const part of links.keys()) seen.observe(part);
}
