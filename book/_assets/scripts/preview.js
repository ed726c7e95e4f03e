// What a reference leads to is shown beside it while the pointer or the focus is there:
// an equation, a theorem, a figure, a source, or how a section begins. A page opened as
// a file may not read another one, so there only what stands on the same page is shown.
(() => {
  const LINKS = ".bd-article a.reference.internal[href*='#'], .bd-article a.bibtex[href*='#']";
  const BLOCKS = "div.math, .jg-equation, div.proof, div.exercise, div.solution, figure, table, div.citation, dd, dt";
  const pages = new Map();
  let box = null, owner = null, waiting = 0;

  async function pageAt(address) {
    if (address.pathname === location.pathname) return document;
    if (location.protocol === "file:" || address.origin !== location.origin) return null;
    if (!pages.has(address.pathname)) {
      pages.set(address.pathname, fetch(address.pathname)
        .then(answer => (answer.ok ? answer.text() : ""))
        .then(text => new DOMParser().parseFromString(text, "text/html"))
        .catch(() => null));
    }
    return pages.get(address.pathname);
  }

  function contentOf(page, id) {
    const target = page?.getElementById(id);
    if (!target) return [];
    const block = target.matches(BLOCKS) ? target : target.closest("div.math");
    if (block) return [block];
    if (target.matches("dt, dd")) return [target];
    // A label stands before its heading, or is the section's own name.
    const section = target.closest("section");
    const heading = section?.querySelector("h1, h2, h3, h4");
    const first = section?.querySelector(":scope > p, :scope > .jg-lead p");
    return [heading, first].filter(Boolean);
  }

  function copy(node) {
    const own = document.importNode(node, true);
    own.querySelectorAll(".headerlink, button, script, .jg-checked").forEach(each => each.remove());
    for (const each of [own, ...own.querySelectorAll("[id]")]) each.removeAttribute("id");
    own.querySelectorAll("a").forEach(link => link.replaceWith(...link.childNodes));
    if (own.matches("h1, h2, h3, h4")) {
      const title = document.createElement("p");
      title.className = "jg-preview-title";
      title.append(...own.childNodes);
      return title;
    }
    return own;
  }

  function place(link) {
    const at = link.getClientRects()[0] || link.getBoundingClientRect();
    const width = document.documentElement.clientWidth;
    const left = Math.max(8, Math.min(at.left, width - box.offsetWidth - 8));
    const below = at.bottom + box.offsetHeight + 8 < innerHeight || at.top < box.offsetHeight + 8;
    box.style.left = `${left + scrollX}px`;
    box.style.top = `${(below ? at.bottom + 4 : at.top - box.offsetHeight - 4) + scrollY}px`;
  }

  async function open(link) {
    const address = new URL(link.href);
    const nodes = contentOf(await pageAt(address), decodeURIComponent(address.hash.slice(1)));
    if (!nodes.length || owner !== link) return;
    box?.remove();
    box = document.createElement("div");
    box.className = "jg-preview bd-article mathjax_ignore";
    box.id = "jg-preview";
    box.setAttribute("role", "tooltip");
    box.append(...nodes.map(copy));
    box.addEventListener("pointerenter", () => clearTimeout(waiting));
    box.addEventListener("pointerleave", closeSoon);
    document.body.append(box);
    link.setAttribute("aria-describedby", box.id);
    place(link);
    if (address.pathname !== location.pathname && window.MathJax?.typesetPromise) {
      await MathJax.typesetPromise([box]);
      if (box && owner === link) place(link);
    }
  }
  function close() {
    clearTimeout(waiting);
    owner?.removeAttribute("aria-describedby");
    box?.remove();
    box = owner = null;
  }
  function closeSoon() {
    clearTimeout(waiting);
    waiting = setTimeout(close, 200);
  }
  function openSoon(link, wait) {
    clearTimeout(waiting);
    if (owner === link) return;
    close();
    owner = link;
    waiting = setTimeout(() => open(link), wait);
  }
  for (const link of document.querySelectorAll(LINKS)) {
    link.addEventListener("pointerenter", event => {
      if (event.pointerType === "mouse") openSoon(link, 200);
    });
    link.addEventListener("pointerleave", closeSoon);
    link.addEventListener("focus", () => { if (link.matches(":focus-visible")) openSoon(link, 0); });
    link.addEventListener("blur", closeSoon);
  }
  addEventListener("keydown", event => { if (event.key === "Escape" && box) close(); });
})();
