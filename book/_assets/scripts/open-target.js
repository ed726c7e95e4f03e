// A link may lead to a line inside something folded: unfold all that stands around it.
function unfold(target) {
  let folded = target.closest("details:not([open]), .toggle-hidden");
  if (!folded) return false;
  for (; folded; folded = target.closest("details:not([open]), .toggle-hidden")) {
    if (folded.matches("details")) folded.open = true;
    else folded.querySelector(".toggle-button").click();
  }
  return true;
}
function openTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target && unfold(target)) target.scrollIntoView();
}
addEventListener("hashchange", openTarget);
// The buttons that fold come with the page's other scripts: they are all there by then.
addEventListener("load", openTarget);
