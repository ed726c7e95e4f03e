// The game on its stage: what the discriminator believes, and who covers what so far.
(jg => {
  if (jg.arena) return;
  const {game, network, stage} = jg;
  const CELLS = 36; // a side of the heat map
  const BUDGET = 9; // milliseconds of training in a frame, of the 16 that there are
  const CAP = 30; // steps in a frame, so that a fast machine can be followed too
  const MOST = 600; // counts of the modes that are kept; then every second one goes

  // Where the discriminator says "real": its probability on a grid, row by row.
  const belief = ({discriminator, Kind}, extent) => {
    const grid = new Kind(2 * CELLS * CELLS);
    const at = i => ((i + 0.5) / CELLS * 2 - 1) * extent;
    for (let i = 0; i < CELLS * CELLS; i++) {
      grid[2 * i] = at(i % CELLS);
      grid[2 * i + 1] = -at(Math.floor(i / CELLS));
    }
    return network.forward(discriminator, grid).at(-1);
  };

  // Blue where D says real, orange where it says made: the stronger, the surer.
  const heat = (logits, {reconstruction, prior}, canvas) => {
    const context = canvas.getContext("2d", {willReadFrequently: true});
    const [sure, doubt] = [reconstruction, prior].map(colour => {
      context.fillStyle = colour;
      context.fillRect(0, 0, 1, 1);
      return [...context.getImageData(0, 0, 1, 1).data];
    });
    const image = context.createImageData(CELLS, CELLS);
    logits.forEach((logit, i) => {
      const lean = 2 * network.sigmoid(logit) - 1;
      const [red, green, blue] = lean > 0 ? sure : doubt;
      image.data.set([red, green, blue, 140 * Math.abs(lean)], 4 * i);
    });
    context.putImageData(image, 0, 0);
  };

  // The line D = 1/2 by marching squares: each cell of the grid adds a segment or two.
  const border = (context, logits, size) => {
    const at = i => (i + 0.5) / CELLS * size;
    context.beginPath();
    for (let row = 0; row + 1 < CELLS; row++) {
      for (let column = 0; column + 1 < CELLS; column++) {
        const corners = [[0, 0], [1, 0], [1, 1], [0, 1]].map(([x, y]) =>
          [column + x, row + y, logits[(row + y) * CELLS + column + x]]);
        const crossings = corners.flatMap(([x, y, here], k) => {
          const [nextX, nextY, there] = corners[(k + 1) % 4];
          if (here > 0 === there > 0) return [];
          const part = here / (here - there);
          return [[at(x + part * (nextX - x)), at(y + part * (nextY - y))]];
        });
        for (let k = 0; k + 1 < crossings.length; k += 2) {
          context.moveTo(...crossings[k]);
          context.lineTo(...crossings[k + 1]);
        }
      }
    }
    context.stroke();
  };

  const scatter = (context, points, size, extent, mark) => {
    context.beginPath();
    for (let i = 0; i < points.length; i += 2) {
      const x = (points[i] / extent + 1) * size / 2;
      const y = (1 - points[i + 1] / extent) * size / 2;
      mark(x, y);
    }
  };

  const drawField = (context, size, now, {extent}, back) => {
    const colour = stage.colours();
    heat(now.logits, colour, back);
    context.imageSmoothingEnabled = true;
    context.drawImage(back, 0, 0, size, size);
    Object.assign(context, {strokeStyle: colour.muted, lineWidth: 1});
    context.setLineDash([4, 3]);
    border(context, now.logits, size);
    context.setLineDash([]);
    context.fillStyle = colour.ink;
    context.globalAlpha = 0.6;
    scatter(context, now.real, size, extent, (x, y) => {
      context.moveTo(x + 1.4, y);
      context.arc(x, y, 1.4, 0, 2 * Math.PI);
    });
    context.fill();
    context.globalAlpha = 1;
    const arm = size < 300 ? 2.4 : 3;
    for (const [strokeStyle, lineWidth] of [[colour.paper, 3.2], [colour.accent, 1.5]]) {
      Object.assign(context, {strokeStyle, lineWidth});
      scatter(context, now.made, size, extent, (x, y) => {
        context.moveTo(x - arm, y - arm);
        context.lineTo(x + arm, y + arm);
        context.moveTo(x - arm, y + arm);
        context.lineTo(x + arm, y - arm);
      });
      context.stroke();
    }
  };

  // Modes covered, from the first step to this one.
  const drawHistory = (context, width, height, history, {modes}) => {
    const colour = stage.colours();
    const [left, right, top, bottom] = [18, 6, 8, 20];
    const last = Math.max(500, history.at(-1)[0]);
    const x = step => left + step / last * (width - left - right);
    const y = count => height - bottom - count / modes * (height - top - bottom);
    context.font = "11px system-ui, sans-serif";
    context.lineWidth = 1;
    for (const count of [0, modes / 2, modes]) {
      context.strokeStyle = colour.line;
      context.beginPath();
      context.moveTo(left, Math.round(y(count)) + 0.5);
      context.lineTo(width - right, Math.round(y(count)) + 0.5);
      context.stroke();
      Object.assign(context, {textAlign: "right", textBaseline: "middle"});
      stage.text(context, String(count), left - 6, y(count), colour.muted);
    }
    Object.assign(context, {textAlign: "left", textBaseline: "bottom"});
    stage.text(context, "0", left, height - 2, colour.muted);
    context.textAlign = "right";
    stage.text(context, `${last} steps`, width - right, height - 2, colour.muted);
    context.beginPath();
    history.forEach(([step, count], i) => {
      if (i) context.lineTo(x(step), y(history[i - 1][1]));
      context.lineTo(x(step), y(count));
    });
    Object.assign(context, {strokeStyle: colour.gap, lineWidth: 1.6, lineJoin: "round"});
    context.stroke();
    context.beginPath();
    context.arc(x(history.at(-1)[0]), y(history.at(-1)[1]), 3, 0, 2 * Math.PI);
    context.fillStyle = colour.gap;
    context.fill();
  };

  const play = (root, data, fail) => {
    const [field, chart] = root.querySelectorAll("canvas");
    const [start, single, reset] = root.querySelectorAll("button");
    const slider = root.querySelector("input");
    const output = root.querySelector("output");
    const [steps, modes] = root.querySelectorAll(".jg-count");
    const back = document.createElement("canvas");
    Object.assign(back, {width: CELLS, height: CELLS});
    let match, now, history, every, running = false, seen = true, frame = 0;

    const begin = () => {
      match = game.create(data);
      now = {
        z: game.noise(match, data.points), // the same points are followed throughout
        real: game.real(match, data.points),
      };
      history = [];
      every = 10; // steps between two counts
      look();
    };

    const look = () => {
      now.logits = belief(match, data.extent);
      now.made = game.make(match, now.z);
      if (![...now.logits, ...now.made].every(Number.isFinite)) {
        throw new Error(`the game has left all bounds at step ${match.steps}`);
      }
      count();
    };

    const count = () => {
      const found = game.covered(data, now.made).filter(Boolean).length;
      if (history.length && history.at(-1)[0] === match.steps) history.pop();
      history.push([match.steps, found]);
      if (history.length <= MOST) return;
      every *= 2;
      history = history.filter(([step]) => step % every === 0 || step === match.steps);
    };

    const move = () => {
      game.turn(match, data.ratios[slider.valueAsNumber]);
      if (match.steps % every) return;
      now.made = game.make(match, now.z);
      count();
    };

    const redrawField = stage.canvas(field, (context, size) =>
      now && drawField(context, size, now, data, back));
    const redrawChart = stage.canvas(chart, (context, width, height) =>
      now && drawHistory(context, width, height, history, data));

    const show = () => {
      redrawField();
      redrawChart();
      steps.textContent = match.steps;
      modes.textContent = history.at(-1)[1];
      output.value = data.names[slider.valueAsNumber];
      slider.setAttribute("aria-valuetext", output.value);
      start.textContent = running ? "Pause" : "Start";
    };

    const safely = action => (...given) => {
      try {
        action(...given);
      } catch (error) {
        running = false;
        cancelAnimationFrame(frame);
        fail(error);
      }
    };

    const run = safely(() => {
      frame = 0;
      const until = performance.now() + BUDGET;
      for (let i = 0; i < CAP; i++) {
        move();
        if (performance.now() > until) break;
      }
      look();
      show();
      wake();
    });
    // nobody looks: nothing is computed, and it goes on when somebody does
    const wake = () => {
      cancelAnimationFrame(frame);
      frame = running && seen && !document.hidden ? requestAnimationFrame(run) : 0;
    };
    new IntersectionObserver(entries => {
      seen = entries.at(-1).isIntersecting;
      wake();
    }).observe(field);
    document.addEventListener("visibilitychange", wake);

    start.addEventListener("click", safely(() => {
      running = !running;
      show();
      wake();
    }));
    single.addEventListener("click", safely(() => {
      running = false;
      wake();
      move();
      look();
      show();
    }));
    reset.addEventListener("click", safely(() => {
      running = false;
      wake();
      begin();
      show();
    }));
    slider.addEventListener("input", safely(show));
    begin();
    show();
  };

  jg.arena = {play};
})(globalThis.jensengap ??= {});
