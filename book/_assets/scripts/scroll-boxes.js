// A formula, a table or an output that is wider than the column scrolls by itself: the
// keyboard must get there too. What fits is no stop on the way.
(() => {
  const BOXES = ".bd-article mjx-container[display='true'], .bd-article .output, "
    + ".bd-article .pst-scrollable-table-container";
  function mark() {
    for (const box of document.querySelectorAll(BOXES)) {
      const scrolls = box.scrollWidth > box.clientWidth
        && getComputedStyle(box).overflowX !== "visible";
      if (scrolls) box.tabIndex = 0;
      else if (box.getAttribute("tabindex") === "0" && !box.matches(".CtxtMenu_Attached_0")) {
        box.removeAttribute("tabindex");
      }
    }
  }
  // Formulas change the text's size when they are set, and a turned phone its width.
  addEventListener("load", () => {
    const article = document.querySelector(".bd-article");
    if (!article) return;
    const set = window.formulas ?? Promise.resolve();
    set.then(() => {
      new ResizeObserver(mark).observe(article);
      mark();
    });
  });
})();
