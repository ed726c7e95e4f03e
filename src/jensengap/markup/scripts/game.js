// A GAN that trains in the page: the non-saturating game on a ring of Gaussians.
(jg => {
  if (jg.game) return;
  const {network, numbers} = jg;
  const {sigmoid} = network;

  // Both networks as they came, each with its own Adam, and chance from one seed.
  const create = (data, seed = data.seed) => {
    const Kind = data.precise ? Float64Array : Float32Array;
    const [discriminator, generator] = ["discriminator", "generator"].map(name =>
      network.create(data[name].layers, numbers.unpack(data[name].weights, Kind)));
    return {
      data, discriminator, generator, Kind,
      inspect: network.adam(discriminator, data.betas),
      forge: network.adam(generator, data.betas),
      chance: numbers.chance(seed),
      steps: 0,
    };
  };

  const real = ({data, chance, Kind}, count) => {
    const points = chance.normals(2 * count, Kind);
    for (let i = 0; i < count; i++) {
      const angle = 2 * Math.PI * chance.below(data.modes) / data.modes;
      points[2 * i] = data.scale * points[2 * i] + data.radius * Math.cos(angle);
      points[2 * i + 1] = data.scale * points[2 * i + 1] + data.radius * Math.sin(angle);
    }
    return points;
  };

  const noise = ({generator, chance, Kind}, count) =>
    chance.normals(generator[0].inputs * count, Kind);

  const make = ({generator}, z) => network.forward(generator, z).at(-1);

  // The discriminator's loss is -log D(x) on real points and -log(1 - D(x)) on made
  // ones, each a mean over its batch; the slopes in the logits are D - 1 and D.
  const inspect = (game, x, z, rate) => {
    const net = game.discriminator;
    const gradients = [[x, 1], [make(game, z), 0]].map(([points, label]) => {
      const values = network.forward(net, points);
      const logits = values.at(-1);
      const slopes = logits.map(logit => (sigmoid(logit) - label) / logits.length);
      return network.backward(net, values, slopes).parameters;
    });
    const [onReal, onFake] = gradients;
    onReal.forEach((g, j) => g.forEach((_, i) => { g[i] += onFake[j][i]; }));
    game.inspect(onReal, rate);
  };

  // The generator's loss is -log D(G(z)); its slope in the logit is D - 1.
  const forge = (game, z, rate) => {
    const made = network.forward(game.generator, z);
    const judged = network.forward(game.discriminator, made.at(-1));
    const logits = judged.at(-1);
    const slopes = logits.map(logit => (sigmoid(logit) - 1) / logits.length);
    const {input} = network.backward(game.discriminator, judged, slopes, true);
    game.forge(network.backward(game.generator, made, input).parameters, rate);
  };

  // One turn each, the discriminator first; it moves ratio times as fast.
  const turn = (game, ratio) => {
    const {rate, batch} = game.data;
    inspect(game, real(game, batch), noise(game, batch), ratio * rate);
    forge(game, noise(game, batch), rate);
    game.steps += 1;
  };

  // A mode is covered when enough points lie close to it and closest to it.
  const covered = ({modes, radius, reach, enough}, points) => {
    const counts = new Array(modes).fill(0);
    for (let i = 0; i < points.length; i += 2) {
      const turns = Math.atan2(points[i + 1], points[i]) / (2 * Math.PI);
      const mode = (Math.round(turns * modes) + modes) % modes;
      const angle = 2 * Math.PI * mode / modes;
      const across = points[i] - radius * Math.cos(angle);
      const up = points[i + 1] - radius * Math.sin(angle);
      if (Math.hypot(across, up) <= reach) counts[mode] += 1;
    }
    return counts.map(count => count >= enough);
  };

  jg.game = {create, real, noise, make, inspect, forge, turn, covered};
})(globalThis.jensengap ??= {});
