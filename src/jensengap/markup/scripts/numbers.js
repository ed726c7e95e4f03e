// Numbers for a model in the page: those that came with it, and those drawn by chance.
(jg => {
  if (jg.numbers) return; // each figure brings the scripts; the first one has run them

  const crc32 = bytes => {
    let crc = ~0;
    for (const byte of bytes) {
      crc ^= byte;
      for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc >>> 0;
  };

  // IEEE 754 half precision: a sign, 5 bits of exponent, 10 of fraction
  const half = bits => {
    const sign = bits >> 15 ? -1 : 1;
    const exponent = (bits >> 10) & 31;
    const fraction = (bits & 1023) / 1024;
    if (exponent === 31) return fraction ? NaN : sign * Infinity;
    return exponent
      ? sign * 2 ** (exponent - 15) * (1 + fraction)
      : sign * 2 ** -14 * fraction;
  };

  const readers = {
    float16: [2, (view, at) => half(view.getUint16(at, true))],
    float32: [4, (view, at) => view.getFloat32(at, true)],
    float64: [8, (view, at) => view.getFloat64(at, true)],
  };

  // What parameters.pack wrote: one array for each shape, or an error that says what is
  // wrong with the bytes.
  const unpack = ({type, shapes, crc, base64}, Kind = Float32Array) => {
    const [size, read] = readers[type];
    const counts = shapes.map(shape => shape.reduce((a, b) => a * b, 1));
    const wanted = size * counts.reduce((a, b) => a + b, 0);
    let text;
    try {
      text = atob(base64);
    } catch {
      throw new Error("the numbers are not base64");
    }
    if (text.length !== wanted) {
      throw new Error(`${wanted} bytes were wanted and ${text.length} came`);
    }
    const bytes = Uint8Array.from(text, letter => letter.charCodeAt(0));
    if (crc32(bytes) !== crc) throw new Error("the checksum does not match");
    const view = new DataView(bytes.buffer);
    let at = 0;
    return counts.map(count => {
      const array = new Kind(count);
      for (let i = 0; i < count; i++, at += size) array[i] = read(view, at);
      return array;
    });
  };

  // sfc32 (C. Doty-Humphrey, PractRand 2010), 128 bits of state, seeded as there:
  // the counter at 1, and twelve draws thrown away. The same seed, the same run.
  const chance = seed => {
    let a = 0, b = seed >>> 0, c = 0, counter = 1;
    const bits = () => {
      const draw = (a + b + counter) | 0;
      counter = (counter + 1) | 0;
      a = b ^ (b >>> 9);
      b = (c + (c << 3)) | 0;
      c = ((c << 21) | (c >>> 11)) + draw | 0;
      return draw >>> 0;
    };
    for (let i = 0; i < 12; i++) bits();
    // strictly between 0 and 1, so that its logarithm is finite
    const uniform = () => (bits() + 0.5) / 4294967296;
    // Box and Muller (1958): a pair of uniforms makes a pair of Gaussians
    const normals = (count, Kind = Float32Array) => {
      const array = new Kind(count);
      for (let i = 0; i < count; i += 2) {
        const length = Math.sqrt(-2 * Math.log(uniform()));
        const angle = 2 * Math.PI * uniform();
        array[i] = length * Math.cos(angle);
        if (i + 1 < count) array[i + 1] = length * Math.sin(angle);
      }
      return array;
    };
    return {bits, uniform, normals, below: n => Math.floor(n * uniform())};
  };

  jg.numbers = {crc32, half, unpack, chance};
})(globalThis.jensengap ??= {});
