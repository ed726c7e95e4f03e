// MathJax sets all formulas of a page at once, and nothing else moves meanwhile. Here
// those in sight are set first and the others a few at a time; between two slices the
// browser answers. Stands before MathJax in the same file: _ext/pages/offline_math.py.
(() => {
  const pause = () => new Promise(go => {
    // Messages are not held back as timers are, in a page that is out of sight.
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = go;
    port2.postMessage(0);
  });
  async function setAll() {
    const above = [], seen = [], below = [];
    for (const formula of document.querySelectorAll(".math:not(:has(.math))")) {
      const { bottom, top } = formula.getBoundingClientRect();
      (bottom < 0 ? above : top < innerHeight ? seen : below).push(formula);
    }
    // What is in sight moves once, not with each slice.
    if (seen.length) MathJax.typeset(seen);
    const rest = [...below, ...above];
    while (rest.length) {
      await pause();
      const end = performance.now() + 12;
      do MathJax.typeset([rest.shift()]);
      while (rest.length && performance.now() < end);
    }
  }
  const settings = window.MathJax ??= {};
  settings.startup = { ...settings.startup, pageReady: () => pause().then(setAll) };
})();
