// A form that checks an answer: the same verdicts, in the same order, as the package's.
(jg => {
  if (jg.answer) return;

  // Minus signs, fractions, percent signs and spaces as people write them. A comma is a
  // decimal one, or stands between thousands: where both can be meant, both are tried.
  const read = text => {
    const plain = text.replaceAll("−", "-").replace(/[\s’']|%\s*$/g, "");
    const grouped = /^[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?$/.test(plain);
    const written = grouped ? [plain.replaceAll(",", "")] : [];
    if (plain.split(",").length === 2) written.push(plain.replace(",", "."));
    return (written.length ? written : [plain]).map(quotient).filter(v => v !== null);
  };

  const quotient = text => {
    const parts = text.split("/");
    const number = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
    if (parts.length > 2 || !parts.every(part => number.test(part))) return null;
    return parts.length === 1 ? Number(parts[0]) : Number(parts[0]) / Number(parts[1]);
  };

  const judge = ({answer, tolerance, unit, mistakes, said}, text) => {
    if (!text.trim()) return [false, said["empty"]];
    const values = read(text);
    if (!values.length) return [false, said["not a number"]];
    if (!values.every(Number.isFinite)) return [false, said["not finite"]];
    const near = other => values.some(value => Math.abs(value - other) <= tolerance);
    if (near(answer)) return [true, said["right"]];
    const typical = [...mistakes, [-answer, said["sign"]]];
    if (unit === "nats") typical.push([answer / Math.LN2, said["bits"]]);
    if (unit === "%") typical.push([answer / 100, said["share"]]);
    const known = typical.find(([other]) => near(other));
    return [false, known ? known[1] : said[values[0] < answer ? "small" : "large"]];
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
