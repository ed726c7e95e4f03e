// A multilayer perceptron in plain script: forward, backward, and steps downhill.
// A batch is one flat array, example after example; a weight has torch's order,
// (outputs, inputs). Sums run in double precision where the arrays are Float64Array.
(jg => {
  if (jg.network) return;

  // in place, so that the loops stay simple enough to be fast
  const activate = ({activation, slope}, a) => {
    const n = a.length;
    if (activation === "tanh") {
      for (let i = 0; i < n; i++) a[i] = Math.tanh(a[i]);
    } else if (activation === "relu") {
      for (let i = 0; i < n; i++) if (a[i] < 0) a[i] = 0;
    } else if (activation === "leaky_relu") {
      for (let i = 0; i < n; i++) if (a[i] < 0) a[i] *= slope;
    } else if (activation === "sigmoid") {
      for (let i = 0; i < n; i++) a[i] = sigmoid(a[i]);
    } else if (activation !== "identity") {
      throw new Error(`no activation is called ${activation}`);
    }
  };

  const sigmoid = a => 1 / (1 + Math.exp(-a));

  // gradient in a from gradient in h = f(a), in place; f'(a) is told by h
  const derive = ({activation, slope}, h, g) => {
    const n = h.length;
    if (activation === "tanh") {
      for (let i = 0; i < n; i++) g[i] *= 1 - h[i] * h[i];
    } else if (activation === "relu") {
      for (let i = 0; i < n; i++) if (!(h[i] > 0)) g[i] = 0;
    } else if (activation === "leaky_relu") {
      for (let i = 0; i < n; i++) if (!(h[i] > 0)) g[i] *= slope;
    } else if (activation === "sigmoid") {
      for (let i = 0; i < n; i++) g[i] *= h[i] * (1 - h[i]);
    }
  };

  // layers: [{inputs, outputs, activation, slope}]; arrays: weight, bias, weight, …
  const create = (layers, arrays) => layers.map((layer, i) => ({
    ...layer,
    weight: arrays[2 * i].slice(),
    bias: arrays[2 * i + 1].slice(),
  }));

  const parameters = net => net.flatMap(({weight, bias}) => [weight, bias]);

  // The batch and what each layer makes of it; the last entry is the output.
  const forward = (net, x) => {
    const values = [x];
    for (const layer of net) {
      const {inputs, outputs, weight, bias} = layer;
      const from = values[values.length - 1];
      const num = from.length / inputs;
      const to = new weight.constructor(num * outputs);
      for (let i = 0; i < num; i++) {
        for (let o = 0; o < outputs; o++) {
          let sum = bias[o];
          const row = o * inputs, start = i * inputs;
          for (let k = 0; k < inputs; k++) sum += weight[row + k] * from[start + k];
          to[i * outputs + o] = sum;
        }
      }
      activate(layer, to);
      values.push(to);
    }
    return values;
  };

  // From a loss's gradient in the output: its gradient in every parameter (weight,
  // bias, weight, …) and in the input. onlyInput spares the parameters'.
  const backward = (net, values, gradient, onlyInput = false) => {
    let g = gradient.slice();
    const found = [];
    for (let l = net.length - 1; l >= 0; l--) {
      const {inputs, outputs, weight, bias} = net[l];
      derive(net[l], values[l + 1], g);
      const from = values[l];
      const num = from.length / inputs;
      const below = new weight.constructor(from.length);
      const inWeight = onlyInput ? null : new weight.constructor(weight.length);
      const inBias = onlyInput ? null : new weight.constructor(bias.length);
      for (let i = 0; i < num; i++) {
        const start = i * inputs;
        for (let o = 0; o < outputs; o++) {
          const slope = g[i * outputs + o], row = o * inputs;
          for (let k = 0; k < inputs; k++) below[start + k] += slope * weight[row + k];
          if (onlyInput) continue;
          for (let k = 0; k < inputs; k++) inWeight[row + k] += slope * from[start + k];
          inBias[o] += slope;
        }
      }
      if (!onlyInput) found.unshift(inWeight, inBias);
      g = below;
    }
    return {parameters: found, input: g};
  };

  // Both return a step: (gradients of the parameters, rate) moves the network.
  const sgd = net => (gradients, rate) => parameters(net).forEach((p, j) => {
    for (let i = 0; i < p.length; i++) p[i] -= rate * gradients[j][i];
  });

  // Kingma and Ba (2015), algorithm 1, in the order in which torch computes it
  const adam = (net, [beta1, beta2] = [0.9, 0.999], epsilon = 1e-8) => {
    const own = parameters(net);
    const first = own.map(p => new p.constructor(p.length));
    const second = own.map(p => new p.constructor(p.length));
    let count = 0;
    return (gradients, rate) => {
      count += 1;
      const size = rate / (1 - beta1 ** count);
      const root = Math.sqrt(1 - beta2 ** count);
      own.forEach((p, j) => {
        const g = gradients[j], m = first[j], v = second[j];
        for (let i = 0; i < p.length; i++) {
          m[i] += (1 - beta1) * (g[i] - m[i]);
          v[i] = beta2 * v[i] + (1 - beta2) * g[i] * g[i];
          p[i] -= size * m[i] / (Math.sqrt(v[i]) / root + epsilon);
        }
      });
    };
  };

  jg.network = {create, parameters, forward, backward, sgd, adam, sigmoid};
})(globalThis.jensengap ??= {});
