// A form that checks an answer: the same verdicts, in the same order, as the package's.
(jg => {
  if (jg.answer) return;

  // Right is better than a known mistake, and that than any other: texts with several
  // readings have them judged in this order.
  const RIGHT = 0, KNOWN = 1, OTHER = 2;

  const judgeOne = ({answer, tolerance, slack, unit, mistakes, said}, value) => {
    const near = other => Math.abs(value - other) <= tolerance * (1 + slack);
    if (near(answer)) return [RIGHT, said["right"]];
    const typical = [...mistakes, [-answer, said["sign"]]];
    if (unit === "nats") typical.push([answer / Math.LN2, said["bits"]]);
    if (unit === "%") typical.push([answer / 100, said["share"]]);
    const known = typical.find(([other]) => near(other));
    if (known) return [KNOWN, known[1]];
    return [OTHER, said[value < answer ? "small" : "large"]];
  };

  // A number in another unit is no answer, whatever its size.
  const inOtherUnit = (data, value, came) => {
    const {unit, said} = data;
    const inBits = came === "bits" && judgeOne(data, value)[1] === said["bits"];
    if (inBits) return said["bits"];
    return said[unit ? "unit" : "unitless"].replace("{came}", came).replace("{wanted}", unit);
  };

  const judge = (data, text) => {
    const {said, grammar} = data;
    if (jg.reading.isEmpty(text, grammar)) return [false, said["empty"]];
    const {values, unit, plain} = jg.reading.read(text, data.unit, grammar);
    if (!values.length) return [false, said["not a number"]];
    if (!Number.isFinite(values[0])) return [false, said["not finite"]];
    const judged = values.map(value => unit
      ? [OTHER, inOtherUnit(data, value, unit)] : judgeOne(data, value));
    const ranks = judged.map(([rank]) => rank);
    const best = ranks.indexOf(Math.min(...ranks));
    const echo = said["read"].replace("{value}", jg.reading.shown(values[best]));
    const [rank, sentence] = judged[best];
    return [rank === RIGHT, plain && best === 0 ? sentence : `${sentence} ${echo}`];
  };

  const choose = ({right, options, said}, option) => {
    if (option === undefined) return [false, said["empty"]];
    const isRight = option === right;
    return [isRight, `${isRight ? said["right"] + " " : ""}${options[option]}`.trim()];
  };

  const open = form => {
    const data = JSON.parse(form.querySelector("script[type='application/json']").textContent);
    const status = form.querySelector(".jg-said");
    const field = form.querySelector("input[type=text]");
    const verdict = () => field ? judge(data, field.value)
      : choose(data, form.querySelector("input:checked")?.value);
    const clear = () => {
      status.textContent = "";
      delete form.dataset.state;
      field?.removeAttribute("aria-invalid");
    };
    form.addEventListener("submit", event => {
      event.preventDefault();
      const [right, sentence] = verdict();
      form.dataset.state = right ? "right" : "again";
      field?.setAttribute("aria-invalid", String(!right));
      status.textContent = sentence;
    });
    form.addEventListener("input", clear);
  };

  jg.answer = {open, judge, choose};
})(globalThis.jensengap ??= {});
