// Beside each chapter in the sidebar: how many of its exercises are answered rightly,
// by what markup/scripts/kept.js keeps in this browser. Which exercises there are, the
// build has written into the page.
(() => {
  const PREFIX = "jensengap-answer-";
  const list = document.getElementById("jg-exercises");
  const nav = document.querySelector(".bd-docs-nav");
  if (!list || !nav) return;
  const chapters = JSON.parse(list.textContent);
  const root = new URL(document.documentElement.dataset.content_root, location.href);
  const nameOf = link => new URL(link.getAttribute("href") || "", location.href)
    .pathname.slice(root.pathname.length).replace(/\.html$/, "");

  // Of one exercise: nothing, or whether it was answered rightly. An answer to what the
  // question was before does not count.
  const marked = (label, question) => {
    try {
      const kept = JSON.parse(localStorage.getItem(PREFIX + label));
      return kept?.question === question ? kept.right === true : null;
    } catch { return null; }
  };
  const count = exercises => {
    const marks = Object.entries(exercises).map(each => marked(...each));
    return {
      right: marks.filter(Boolean).length,
      answered: marks.filter(mark => mark !== null).length,
      all: marks.length,
    };
  };
  const inWords = ({right, all}) => `${right} of ${all} exercises right`;

  const line = document.createElement("p");
  line.className = "jg-answers";
  line.tabIndex = -1;
  const words = document.createElement("span");
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Clear all answers";
  line.append(words, " ", button);
  nav.append(line);

  function show() {
    for (const link of nav.querySelectorAll("a")) {
      const exercises = chapters[nameOf(link)];
      if (!exercises) continue;
      link.querySelector(".jg-progress")?.remove();
      const found = count(exercises);
      if (!found.answered) continue;
      const mark = document.createElement("span");
      mark.className = "jg-progress";
      const seen = document.createElement("span");
      seen.ariaHidden = "true";
      seen.textContent = ` ${found.right}/${found.all}`;
      const heard = document.createElement("span");
      heard.className = "visually-hidden";
      heard.textContent = `, ${inWords(found)}`;
      mark.append(seen, heard);
      link.append(mark);
    }
    const whole = count(Object.assign({}, ...Object.values(chapters)));
    words.textContent = whole.answered ? inWords(whole) : "";
    line.hidden = button.hidden = !whole.answered;
  }
  button.addEventListener("click", () => {
    if (!confirm("Clear all answers to exercises that this browser keeps?")) return;
    try {
      for (const key of Object.keys(localStorage))
        if (key.startsWith(PREFIX)) localStorage.removeItem(key);
    } catch { /* nothing was kept */ }
    document.dispatchEvent(new Event("jensengap-cleared"));
    show();
    // The button is gone: whoever pressed it by a key goes on from here.
    line.hidden = false;
    words.textContent = "All answers are cleared.";
    line.focus();
  });
  document.addEventListener("jensengap-kept", show);
  addEventListener("storage", ({key}) => {
    if (key === null || key.startsWith(PREFIX)) show();
  });
  addEventListener("pageshow", ({persisted}) => { if (persisted) show(); });
  show();
})();
