// The stage of a live figure: opens over the still picture when all is well, and says
// what is wrong when it is not. Colours are the page's own, in either theme.
(jg => {
  if (jg.stage) return;

  const colours = () => {
    const style = getComputedStyle(document.documentElement);
    const own = {
      ink: "#24292f", muted: "#5f6b7a", line: "#d5dae1", paper: "#ffffff",
      reconstruction: "#0068a8", prior: "#b34700", gap: "#007a5a", accent: "#7a3e9d",
    };
    for (const name in own) {
      own[name] = style.getPropertyValue(`--jg-${name}`).trim() || own[name];
    }
    return own;
  };

  // A canvas as sharp as the screen: draw(context, width, height) in CSS pixels, again
  // whenever the place is given another size or the page another theme.
  const canvas = (element, draw) => {
    const context = element.getContext("2d");
    let width = 0, height = 0;
    const redraw = fresh => {
      if (!width || !height) return;
      const scale = globalThis.devicePixelRatio || 1;
      const [w, h] = [Math.round(width * scale), Math.round(height * scale)];
      if (element.width !== w || element.height !== h) {
        Object.assign(element, {width: w, height: h});
      }
      context.setTransform(w / width, 0, 0, h / height, 0, 0);
      context.clearRect(0, 0, width, height);
      draw(context, width, height, fresh === true);
    };
    const measure = () => {
      width = element.clientWidth;
      height = element.clientHeight;
      redraw(true);
    };
    new ResizeObserver(measure).observe(element);
    onTheme(() => redraw(true));
    measure();
    return redraw;
  };

  const onTheme = action => {
    new MutationObserver(action).observe(document.documentElement, {
      attributes: true, attributeFilter: ["data-theme"],
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", action);
  };

  // Any number of calls before the next frame make one drawing.
  const once = action => {
    let waiting = false;
    return () => {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => {
        waiting = false;
        action();
      });
    };
  };

  const text = (context, words, x, y, colour, paper) => {
    if (paper) {
      Object.assign(context, {strokeStyle: paper, lineWidth: 3.5, lineJoin: "round"});
      context.strokeText(words, x, y);
    }
    context.fillStyle = colour;
    context.fillText(words, x, y);
  };

  // The minus sign has the width of a plus; a hyphen has not.
  const number = (value, digits = 2) => value.toFixed(digits).replace("-", "−");

  const fail = (root, error) => {
    const still = root.querySelector(".jg-still");
    const message = root.querySelector(".jg-message");
    root.querySelector(".jg-stage").hidden = true;
    still.hidden = false;
    message.textContent = "This figure cannot move: " + error.message +
      ". The picture stands; loading the page again may help.";
    message.hidden = false;
  };

  const open = (own, play) => {
    const root = document.getElementById(own);
    const stage = root.querySelector(".jg-stage");
    try {
      let data;
      try {
        const text = root.querySelector('script[type="application/json"]').textContent;
        data = JSON.parse(text);
      } catch {
        throw new Error("its data are damaged or cut short");
      }
      root.querySelector(".jg-still").hidden = true;
      stage.hidden = false;
      play(stage, data, error => fail(root, error));
    } catch (error) {
      fail(root, error);
    }
  };

  jg.stage = {open, canvas, colours, onTheme, once, text, number};
})(globalThis.jensengap ??= {});
