// After a right answer: the way to the exercise's solution, which unfolds for whoever
// takes it. Before that nothing leads there but the page itself.
(() => {
  const solutionOf = ({dataset}) => document
    .querySelector(`.solution > .admonition-title a[href="#${dataset.exercise}"]`)
    ?.closest(".solution");
  const linkTo = solution => {
    const link = document.createElement("a");
    link.href = `#${solution.id}`;
    link.textContent = "Compare with the solution";
    link.addEventListener("click", event => {
      if (event.metaKey || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      unfold(solution);
      history.pushState(null, "", link.href);
      solution.tabIndex = -1;
      solution.focus({preventScroll: true});
      solution.scrollIntoView();
    });
    return link;
  };
  const show = form => {
    form.querySelector(".jg-way")?.remove();
    const solution = form.dataset.state === "right" && solutionOf(form);
    if (!solution) return;
    const line = document.createElement("p");
    line.className = "jg-way";
    line.append(linkTo(solution));
    form.querySelector(".jg-said").after(line);
  };
  // The form's own listeners come first, and have judged the answer by then.
  for (const name of ["submit", "input"]) {
    document.addEventListener(name, ({target}) => {
      const form = target.closest?.(".jg-ask");
      if (form) show(form);
    });
  }
  document.querySelectorAll(".jg-ask").forEach(show);
})();
