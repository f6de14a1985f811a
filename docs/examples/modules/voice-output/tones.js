const rate = 16_000
const seconds = 0.06
const pentatonic = [0, 2, 4, 7, 9]

/** A tone for each letter or digit, a rest for anything else: a WAV file, 16 bits, one channel. */
export function tones(text) {
  const letters = [...text.toLowerCase()]
  const length = Math.round(rate * seconds)
  const wav = Buffer.alloc(44 + letters.length * length * 2)
  header(wav, letters.length * length * 2)
  letters.forEach((letter, place) => {
    if (!/[\p{L}\p{N}]/u.test(letter)) return
    const step = letter.codePointAt(0) % 15
    const frequency = 220 * 2 ** (Math.floor(step / 5) + pentatonic[step % 5] / 12)
    for (let i = 0; i < length; i++) {
      // Fades in and out: a tone that begins at full height clicks.
      const loudness = 0.3 * Math.sin((Math.PI * i) / length)
      const sample = loudness * Math.sin((2 * Math.PI * frequency * i) / rate)
      wav.writeInt16LE(Math.round(sample * 32_767), 44 + (place * length + i) * 2)
    }
  })
  return wav
}

function header(wav, bytes) {
  wav.write('RIFF', 0)
  wav.writeUInt32LE(36 + bytes, 4)
  wav.write('WAVEfmt ', 8)
  wav.writeUInt32LE(16, 16)
  wav.writeUInt16LE(1, 20) // PCM
  wav.writeUInt16LE(1, 22)
  wav.writeUInt32LE(rate, 24)
  wav.writeUInt32LE(rate * 2, 28)
  wav.writeUInt16LE(2, 32)
  wav.writeUInt16LE(16, 34)
  wav.write('data', 36)
  wav.writeUInt32LE(bytes, 40)
}
