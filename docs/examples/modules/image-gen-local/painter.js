// A sky, what the prompt names of a sun, a moon and mountains, and clouds in brush strokes. Colours and places come from the prompt.

const skies = {
  sunset: [
    [58, 28, 113],
    [255, 153, 92],
  ],
  night: [
    [4, 6, 30],
    [40, 44, 92],
  ],
  day: [
    [66, 139, 202],
    [208, 232, 245],
  ],
}

/** RGB, 3 bytes a pixel, from the top left. */
export function paint(prompt, { width, height, steps }) {
  const random = randomFrom(prompt)
  const has = (words) => words.some((word) => prompt.toLowerCase().includes(word))
  const time = has(['sunset', 'sunrise', 'evening']) ? 'sunset' : has(['night', 'moon', 'star']) ? 'night' : 'day'
  const pixels = new Uint8Array(width * height * 3)
  const put = (x, y, colour, alpha = 1) => {
    const at = (y * width + x) * 3
    for (let c = 0; c < 3; c++) pixels[at + c] += (colour[c] - pixels[at + c]) * alpha
  }
  const disc = (cx, cy, radius, colour, alpha) => {
    for (let y = Math.max(0, Math.ceil(cy - radius)); y < Math.min(height, cy + radius); y++) {
      for (let x = Math.max(0, Math.ceil(cx - radius)); x < Math.min(width, cx + radius); x++) {
        if ((x - cx) ** 2 + (y - cy) ** 2 < radius ** 2) put(x, y, colour, alpha)
      }
    }
  }

  const [top, bottom] = skies[time]
  for (let y = 0; y < height; y++) {
    const colour = top.map((value, c) => value + ((bottom[c] - value) * y) / height)
    for (let x = 0; x < width; x++) put(x, y, colour)
  }
  if (has(['sun', 'moon'])) disc(width * (0.2 + 0.6 * random()), height * 0.45, height * 0.09, [255, 236, 179])
  for (let i = 0; i < steps; i++) disc(width * random(), height * 0.4 * random(), (height * 0.4) / (3 + i), [255, 255, 255], 0.08)
  const ridges = has(['mountain', 'hill', 'landscape']) ? 3 : 1
  for (let ridge = 0; ridge < ridges; ridge++) {
    const waves = [1, 2, 5, 11].map((frequency) => ({ frequency, phase: 2 * Math.PI * random(), high: 1 / frequency }))
    const colour = bottom.map((value) => value * (0.55 - 0.15 * ridge))
    for (let x = 0; x < width; x++) {
      const wave = waves.reduce(
        (sum, { frequency, phase, high }) => sum + high * Math.sin((6 * frequency * x) / width + phase),
        0,
      )
      const from = Math.round(height * (0.6 + 0.12 * ridge - 0.06 * wave))
      for (let y = Math.max(0, from); y < height; y++) put(x, y, colour)
    }
  }
  return pixels
}

// FNV-1a over the text begins a mulberry32 sequence.
function randomFrom(text) {
  let state = 0x811c9dc5
  for (const char of text) state = Math.imul(state ^ char.codePointAt(0), 0x01000193)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
