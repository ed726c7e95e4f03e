// A number as people write it, by the grammar that the package has: exercises/reading.py
// says what is done and why, step by step; here is the same.
(jg => {
  if (jg.reading) return;
  const NONSENSE = "nonsense", INFINITE = "not finite", FACTOR = 2, TIGHT = 3;

  const rewritten = (text, rules) => rules.reduce(
    (all, [pattern, by]) => all.replace(new RegExp(pattern, "g"), by), text);

  const folded = (text, grammar) => {
    const signs = {};
    for (const [by, all] of Object.entries(grammar.signs)) for (const s of all) signs[s] = by;
    for (const zero of grammar.digits) {
      for (let i = 0; i < 10; i++) signs[String.fromCodePoint(zero.codePointAt(0) + i)] = `${i}`;
    }
    const plain = rewritten(text, grammar.before).normalize("NFKC");
    const lower = [...plain].map(s => signs[s] ?? s).join("").toLowerCase();
    return rewritten(lower, grammar.after);
  };

  const withoutUnit = (body, unit, grammar) => {
    const [, rest, word] = body.match(new RegExp(grammar.unit)) ?? [];
    if (!word) return [body, ""];
    const many = each => `${each.toLowerCase().replace(/s$/, "")}s`;
    if (unit && many(word) === many(unit)) return [rest, ""];
    return grammar.units.includes(many(word)) ? [rest, many(word)] : [body, ""];
  };

  const tokensOf = (body, [groups, mark], grammar) => {
    const names = Object.keys({...grammar.functions, ...grammar.constants}).join("|");
    const number = grammar.number.replaceAll("GROUP", groups).replaceAll("MARK", mark);
    const pattern = new RegExp(`${number}|(?:${names})(?![a-z])|${grammar.sign}`, "g");
    const parts = body.match(pattern) ?? [];
    if (parts.join("").replaceAll(" ", "") !== body.replaceAll(" ", "")) return [];
    return parts.map(part => /\d/.test(part[0]) || part[0] === mark
      ? part.replace(new RegExp(`[${groups} ]`, "g"), "").replace(mark, ".") : part);
  };

  const OPERATIONS = {
    "+": (a, b) => a + b, "-": (a, b) => a - b, "*": (a, b) => a * b,
    "/": (a, b) => a / b, "^": Math.pow,
  };
  const applied = (name, ...values) => {
    const value = (OPERATIONS[name] ?? Math[name])(...values);
    if (!Number.isFinite(value)) throw INFINITE;
    return value;
  };
  const isNumber = token => /^[\d.]/.test(token);
  const isWhole = token => /^\d+$/.test(token);
  const number = token => applied("/", ...(token + "⁄1").split("⁄").slice(0, 2).map(Number));

  const evaluated = (tokens, binding, whole, grammar) => {
    const {operators, postfix, constants, functions} = grammar;
    let at = 0, depth = 0;
    const peek = () => tokens[at] ?? "";
    const take = () => tokens[at++] ?? "";
    const strength = () => {
      if (isNumber(peek())) throw NONSENSE;
      return operators[peek()] ?? (["", ")"].includes(peek()) ? 0 : binding);
    };
    const sum = floor => {
      if (++depth > grammar.depth) throw NONSENSE;
      let left = signed();
      for (let close; (close = strength()) > floor;) {
        const operator = peek() in operators ? take() : "*";
        left = applied(operator, left, sum(close - (operator === "^")));
      }
      depth--;
      return left;
    };
    const signed = () => {
      if ("+-".includes(peek() || "no")) {
        const sign = take();
        if ("+-".includes(peek() || "no")) throw NONSENSE;
        const operand = sum(TIGHT);
        return sign === "-" ? -operand : operand;
      }
      let value = primary();
      while (peek() in postfix) value /= postfix[take()] / whole;
      return value;
    };
    const bracket = () => {
      if (take() !== "(") throw NONSENSE;
      const value = sum(0);
      if (take() !== ")") throw NONSENSE;
      return value;
    };
    const fraction = () => {
      if (peek().includes("⁄")) return number(take());
      const [top, bar, bottom] = tokens.slice(at, at + 3);
      if (!(isWhole(top) && bar === "/" && isWhole(bottom))) return 0;
      at += 3;
      return applied("/", Number(top), Number(bottom));
    };
    const primary = () => {
      if (peek() === "(") return bracket();
      const token = take();
      if (isNumber(token)) return number(token) + (isWhole(token) ? fraction() : 0);
      if (token in constants) return constants[token];
      if (!(token in functions)) throw NONSENSE;
      const name = functions[token];
      if (name === "frac") return applied("/", bracket(), bracket());
      if (peek() === "(") return applied(name, bracket());
      return applied(name, sum(binding === TIGHT ? 1 : 2));
    };
    const value = sum(0);
    if (peek()) throw NONSENSE;
    return value;
  };

  const valuesOf = (body, whole, grammar) => {
    const found = new Set(), seen = new Set();
    let infinite = false;
    for (const custom of grammar.customs) {
      const tokens = tokensOf(body, custom, grammar);
      if (!tokens.length || seen.has(tokens.join(" "))) continue;
      seen.add(tokens.join(" "));
      for (const binding of [FACTOR, TIGHT]) {
        try {
          found.add(evaluated(tokens, binding, whole, grammar));
        } catch (error) {
          if (error !== NONSENSE && error !== INFINITE) throw error;
          infinite ||= error === INFINITE;
        }
      }
    }
    return found.size ? [...found] : infinite ? [NaN] : [];
  };

  const read = (text, unit, grammar) => {
    if ([...text].length > grammar.length) return {values: [], unit: "", plain: false};
    const [first, other] = withoutUnit(folded(text, grammar), unit, grammar);
    const [body, another] = withoutUnit(
      first.replace(new RegExp(grammar.tail), ""), unit, grammar);
    const values = valuesOf(body, unit === "%" ? 100 : 1, grammar);
    const plain = new RegExp(grammar.plain).test(text);
    return {values, unit: values.length ? other || another : "", plain};
  };

  const isEmpty = (text, grammar) =>
    text.length <= grammar.length && !folded(text, grammar).trim();

  const shown = value => {
    const [digits, exponent] = value.toExponential(9).split("e");
    const mantissa = digits.replace(/\.?0+$/, ""), power = Number(exponent);
    const text = power > -5 && power < 15 ? String(Number(`${mantissa}e${power}`))
      : `${mantissa}e${power}`;
    return text.replaceAll("-", "−");
  };

  jg.reading = {read, isEmpty, shown};
})(globalThis.jensengap ??= {});
