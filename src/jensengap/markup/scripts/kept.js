// Answers stay in the reader's browser, each with a digest of its question: a question
// that has changed is asked anew. Only the answer is believed; its verdict is computed.
(jg => {
  if (jg.kept) return;
  const PREFIX = "jensengap-answer-";
  const keyOf = form => PREFIX + form.dataset.exercise;

  // A browser may refuse storage, or have no room: then nothing is kept, silently.
  const quietly = step => { try { return step(); } catch { return null; } };

  const keptIn = form => quietly(() => {
    const {question, answer} = JSON.parse(localStorage.getItem(keyOf(form)));
    const same = question === form.dataset.question && typeof answer === "string";
    return same ? answer : null;
  });
  const keep = (form, answer, right) => {
    const text = JSON.stringify({question: form.dataset.question, answer, right});
    try { localStorage.setItem(keyOf(form), text); }
    // What is kept no longer is what is shown.
    catch { forget(form); }
  };
  const forget = form => quietly(() => localStorage.removeItem(keyOf(form)));
  const tell = () => document.dispatchEvent(new Event("jensengap-kept"));

  const entered = form => {
    const field = form.querySelector("input[type=text]");
    return field ? field.value.trim() : form.querySelector("input:checked")?.value ?? "";
  };
  const enter = (form, answer) => {
    const field = form.querySelector("input[type=text]");
    if (field) field.value = answer;
    for (const each of form.querySelectorAll("input[type=radio]"))
      each.checked = each.value === answer;
    // Whatever listens to a reader's entries clears the old verdict.
    form.dispatchEvent(new Event("input", {bubbles: true}));
  };

  const controls = form => {
    const line = document.createElement("p");
    line.className = "jg-kept";
    line.hidden = true;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Clear this answer";
    line.append("Kept in this browser. ", button);
    form.after(line);
    return {line, button};
  };

  const open = form => {
    const {line, button} = controls(form);
    let follows = false;
    const show = () => { line.hidden = keptIn(form) === null; };
    // The form says what is kept, and nothing where nothing is.
    const follow = () => {
      const answer = keptIn(form);
      if ((answer ?? "") === entered(form) && Boolean(answer) === ("state" in form.dataset)) return;
      follows = true;
      enter(form, answer ?? "");
      if (answer !== null) form.requestSubmit();
      follows = false;
      show();
    };
    form.addEventListener("submit", () => {
      if (follows) return;
      const answer = entered(form);
      if (answer) keep(form, answer, form.dataset.state === "right");
      else forget(form);
      show();
      tell();
    });
    button.addEventListener("click", () => {
      forget(form);
      enter(form, "");
      show();
      tell();
      form.querySelector("input").focus();
    });
    // Another tab, a page that is shown again by the way back, a control for all.
    addEventListener("storage", ({key}) => { if (key === null || key === keyOf(form)) follow(); });
    addEventListener("pageshow", ({persisted}) => { if (persisted) follow(); });
    document.addEventListener("jensengap-cleared", follow);
    follow();
    show();
  };

  jg.kept = {open, PREFIX};
})(globalThis.jensengap ??= {});
