// "Mark as read": a button at a chapter's end, ticks beside the chapters in the sidebar,
// and a count. What was read is kept in this browser and goes nowhere else.
(() => {
  const kept = "jensengap-read";
  const root = new URL(document.documentElement.dataset.content_root, location.href);
  const nameOf = link => {
    const place = new URL(link.getAttribute("href") || "", location.href);
    return place.pathname.slice(root.pathname.length).replace(/\.html$/, "");
  };
  const entries = [...document.querySelectorAll(".bd-docs-nav a")];
  // A chapter is what has a number.
  const chapters = entries.filter(link => /^\d+\./.test(link.textContent.trim()));
  const here = nameOf({ getAttribute: () => location.pathname });
  let read = new Set();
  let refused = Boolean(localStorage.refused);
  try { read = new Set(JSON.parse(localStorage.getItem(kept) || "[]")); }
  catch { /* not ours, or spoiled: begin again */ }

  const count = document.createElement("p");
  count.className = "jg-read-count";
  const button = document.createElement("button");
  button.type = "button";
  button.className = "jg-mark-read";
  const note = document.createElement("span");
  note.className = "jg-read-note";
  note.setAttribute("role", "status");

  function show() {
    for (const link of chapters) {
      link.querySelector(".jg-read")?.remove();
      if (!read.has(nameOf(link))) continue;
      const tick = document.createElement("span");
      tick.className = "jg-read";
      tick.innerHTML = '<span aria-hidden="true"> ✓</span><span class="visually-hidden">, read</span>';
      link.append(tick);
    }
    const number = chapters.filter(link => read.has(nameOf(link))).length;
    count.textContent = `${number} of ${chapters.length} chapters read`;
    count.hidden = number === 0;
    button.setAttribute("aria-pressed", String(read.has(here)));
    button.textContent = read.has(here) ? "✓ Read" : "Mark as read";
  }
  button.addEventListener("click", () => {
    if (!read.delete(here)) read.add(here);
    try { localStorage.setItem(kept, JSON.stringify([...read])); }
    catch { refused = true; }
    note.textContent = refused ? "This browser keeps nothing: it holds for this page." : "";
    show();
  });
  document.querySelector(".bd-docs-nav")?.append(count);
  if (chapters.some(link => nameOf(link) === here)) {
    const end = document.createElement("div");
    end.className = "jg-chapter-end";
    end.append(button, note);
    document.querySelector(".bd-article")?.append(end);
  }
  show();
  // Another window may have marked a chapter.
  addEventListener("storage", event => {
    if (event.key !== kept) return;
    try { read = new Set(JSON.parse(event.newValue || "[]")); } catch { return; }
    show();
  });
})();
