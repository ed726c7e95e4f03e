// MathJax's menu (the formula as TeX, spoken formulas, an explorer for keyboards) is
// large, so it comes when it is asked for: by a right click on a formula, or by the
// keys Alt+Shift+M. From then on it is there on every page.
(() => {
  const kept = "jensengap-math-menu";
  let asked = false;
  async function fetchMenu() {
    if (asked || !window.MathJax?.startup?.promise) return;
    asked = true;
    await MathJax.startup.promise;
    await MathJax.loader.load("ui/menu");
    // The menu belongs to formulas that are set after it has come: set them again.
    MathJax.startup.document.removeFromDocument(true);
    MathJax.startup.getComponents();
    await MathJax.startup.document.render();
  }
  async function ask(event, formula) {
    if (asked) return;
    event.preventDefault();
    const place = [...document.querySelectorAll("mjx-container")].indexOf(formula);
    try { localStorage.setItem(kept, "1"); } catch { /* asked for again next time */ }
    await fetchMenu();
    const again = document.querySelectorAll("mjx-container")[Math.max(place, 0)];
    again?.focus();
    if (event.type === "contextmenu") {
      const { clientX, clientY } = event;
      const options = { bubbles: true, cancelable: true, button: 2, clientX, clientY };
      again?.dispatchEvent(new MouseEvent("contextmenu", options));
    }
  }
  addEventListener("contextmenu", event => {
    const formula = event.target.closest?.("mjx-container");
    if (formula) ask(event, formula);
  });
  addEventListener("keydown", event => {
    if (event.altKey && event.shiftKey && event.code === "KeyM") ask(event, null);
  });
  addEventListener("load", () => {
    try { if (localStorage.getItem(kept)) fetchMenu(); } catch { /* nothing was kept */ }
  });
})();
