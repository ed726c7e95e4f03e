// The decoder, live: a point in the latent plane, and the picture it stands for.
(jg => {
  if (jg.decoder) return;
  const {network, numbers, stage} = jg;
  const KINDS = ["reconstruction", "prior", "gap", "accent", "muted"];
  const KEYS = {
    ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1],
  };

  const median = values => {
    const sorted = [...values].sort((a, b) => a - b);
    return sorted[(sorted.length - 1) >> 1];
  };

  // Where the encoder puts held-out examples, each class with its name in the middle.
  const drawPlane = (context, size, {extent, points, labels, names}) => {
    const colour = stage.colours();
    const place = ([x, y]) => [(x / extent + 1) * size / 2, (1 - y / extent) * size / 2];
    context.font = "11px system-ui, sans-serif";
    context.lineWidth = 1;
    for (let tick = Math.ceil(-extent); tick <= extent; tick++) {
      const [x, y] = place([tick, tick]).map(Math.round);
      context.strokeStyle = colour.line;
      context.globalAlpha = tick ? 0.45 : 1;
      context.beginPath();
      context.moveTo(x + 0.5, 0);
      context.lineTo(x + 0.5, size);
      context.moveTo(0, y + 0.5);
      context.lineTo(size, y + 0.5);
      context.stroke();
      context.globalAlpha = 1;
    }
    points.forEach((point, i) => {
      const [x, y] = place(point);
      context.fillStyle = colour[KINDS[labels[i] % KINDS.length]];
      context.globalAlpha = 0.5;
      context.beginPath();
      context.arc(x, y, 1.5, 0, 2 * Math.PI);
      context.fill();
    });
    context.globalAlpha = 1;
    for (const tick of [-2, 2].filter(value => Math.abs(value) < extent)) {
      const [x, y] = place([tick, tick]);
      Object.assign(context, {textAlign: "center", textBaseline: "bottom"});
      stage.text(context, stage.number(tick, 0), x, size - 4, colour.muted, colour.paper);
      Object.assign(context, {textAlign: "left", textBaseline: "middle"});
      stage.text(context, stage.number(tick, 0), 5, y, colour.muted, colour.paper);
    }
    context.font = "italic 13px system-ui, sans-serif";
    Object.assign(context, {textAlign: "right", textBaseline: "bottom"});
    stage.text(context, "z₁", size - 6, size - 4, colour.ink, colour.paper);
    Object.assign(context, {textAlign: "left", textBaseline: "top"});
    stage.text(context, "z₂", 6, 5, colour.ink, colour.paper);
    context.font = "bold 14px system-ui, sans-serif";
    Object.assign(context, {textAlign: "center", textBaseline: "middle"});
    const middles = names.flatMap((name, label) => {
      const own = points.filter((_, i) => labels[i] === label);
      const axis = k => median(own.map(point => point[k]));
      return own.length ? [{name, at: place([axis(0), axis(1)])}] : [];
    });
    for (const {name, at} of apart(middles, 16)) {
      stage.text(context, name, ...at, colour.ink, colour.paper);
    }
  };

  // Names that stand on each other are pushed apart, half of the way each.
  const apart = (middles, least) => {
    for (let round = 0; round < 20; round++) {
      middles.forEach((one, i) => middles.slice(i + 1).forEach(other => {
        const [x, y] = [other.at[0] - one.at[0] || 1e-3, other.at[1] - one.at[1]];
        const distance = Math.hypot(x, y);
        if (distance >= least) return;
        const part = (least - distance) / distance / 2;
        one.at = [one.at[0] - part * x, one.at[1] - part * y];
        other.at = [other.at[0] + part * x, other.at[1] + part * y];
      }));
    }
    return middles;
  };

  const drawPoint = (context, size, z, extent) => {
    const {accent, paper} = stage.colours();
    const [x, y] = [(z[0] / extent + 1) * size / 2, (1 - z[1] / extent) * size / 2];
    context.strokeStyle = accent;
    context.lineWidth = 1;
    context.globalAlpha = 0.55;
    context.setLineDash([3, 3]);
    context.beginPath();
    context.moveTo(x, y + 9);
    context.lineTo(x, size);
    context.moveTo(x - 9, y);
    context.lineTo(0, y);
    context.stroke();
    context.setLineDash([]);
    context.globalAlpha = 1;
    for (const [radius, width, colour] of [[8, 5, paper], [8, 2.5, accent], [2, 3, accent]]) {
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      Object.assign(context, {strokeStyle: colour, lineWidth: width});
      context.stroke();
    }
  };

  const play = (root, data) => {
    const net = network.create(data.layers, numbers.unpack(data.weights));
    const [flat] = numbers.unpack(data.codes);
    const points = Array.from({length: flat.length / 2}, (_, i) =>
      [flat[2 * i], flat[2 * i + 1]]);
    const plane = {...data, points};
    const {extent, labels, names, step} = data;
    const [pad, picture] = root.querySelectorAll("canvas");
    const sliders = [...root.querySelectorAll("input")];
    const outputs = root.querySelectorAll("output");
    const near = root.querySelector(".jg-near");
    const side = Math.round(Math.sqrt(net.at(-1).outputs));
    const behind = document.createElement("canvas");
    let z = sliders.map(slider => slider.valueAsNumber);

    const redrawPad = stage.canvas(pad, (context, width, height, changed) => {
      if (changed) { // while the ring moves, the points stay where they are
        Object.assign(behind, {width: pad.width, height: pad.height});
        const own = behind.getContext("2d");
        own.scale(pad.width / width, pad.height / height);
        drawPlane(own, width, plane);
      }
      context.drawImage(behind, 0, 0, width, height);
      drawPoint(context, width, z, extent);
    });

    const dot = document.createElement("canvas")
      .getContext("2d", {willReadFrequently: true});
    const ink = () => { // whatever the theme calls it, as red, green and blue
      dot.fillStyle = stage.colours().ink;
      dot.fillRect(0, 0, 1, 1);
      return dot.getImageData(0, 0, 1, 1).data;
    };
    Object.assign(picture, {width: side, height: side});
    const redrawPicture = () => {
      const mean = network.forward(net, Float32Array.from(z)).at(-1);
      const context = picture.getContext("2d");
      const image = context.createImageData(side, side);
      const [red, green, blue] = ink();
      mean.forEach((p, i) => {
        image.data.set([red, green, blue, 255 * Math.min(1, Math.max(0, p))], 4 * i);
      });
      context.putImageData(image, 0, 0);
    };

    const nearest = () => {
      let best = 0, least = Infinity;
      points.forEach(([x, y], i) => {
        const distance = (x - z[0]) ** 2 + (y - z[1]) ** 2;
        if (distance < least) [best, least] = [i, distance];
      });
      return names[labels[best]];
    };

    const show = () => {
      redrawPad();
      redrawPicture();
      sliders.forEach((slider, i) => {
        slider.value = z[i];
        outputs[i].value = stage.number(z[i]);
        slider.setAttribute("aria-valuetext", outputs[i].value);
      });
      near.textContent = nearest();
      picture.setAttribute("aria-label", `Decoded from z₁ = ${stage.number(z[0])}, ` +
        `z₂ = ${stage.number(z[1])}; nearest code: ${near.textContent}`);
    };
    const later = stage.once(show);
    stage.onTheme(redrawPicture);

    const go = (x, y) => {
      const snap = v => Math.round(v / step) * step;
      z = [x, y].map(v => Math.min(extent, Math.max(-extent, snap(v))));
      later();
    };
    sliders.forEach(slider => slider.addEventListener("input", () =>
      go(...sliders.map(each => each.valueAsNumber))));
    pad.addEventListener("keydown", event => {
      const stride = (event.shiftKey ? 10 : 2) * step;
      const [right, up] = KEYS[event.key] ?? [0, 0];
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      if (event.key === "Home") go(0, 0);
      else if (right || up) go(z[0] + stride * right, z[1] + stride * up);
      else return;
      event.preventDefault();
    });
    const follow = event => {
      const box = pad.getBoundingClientRect();
      go(
        ((event.clientX - box.left) / box.width * 2 - 1) * extent,
        (1 - (event.clientY - box.top) / box.height * 2) * extent,
      );
    };
    pad.addEventListener("pointerdown", event => {
      if (event.button) return;
      pad.setPointerCapture(event.pointerId);
      follow(event);
    });
    pad.addEventListener("pointermove", event => {
      if (pad.hasPointerCapture(event.pointerId)) follow(event);
    });
    show();
  };

  jg.decoder = {play};
})(globalThis.jensengap ??= {});
