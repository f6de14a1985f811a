import type { Sampling } from '../server/stream-chat.js'
import type { ChatSettings } from './use-chat.js'

interface Dial {
  readonly key: keyof Sampling
  readonly label: string
  readonly hint: string
  readonly min: number
  readonly max: number
  readonly step: number
}

const dials: readonly Dial[] = [
  { key: 'temperature', label: 'Temperature', hint: '0 takes the likeliest word every time', min: 0, max: 2, step: 0.05 },
  { key: 'top_p', label: 'Top-p', hint: 'words that together are this likely', min: 0.05, max: 1, step: 0.05 },
  { key: 'top_k', label: 'Top-k', hint: 'so many of the likeliest words; 0 is all', min: 0, max: 1000, step: 1 },
  { key: 'repetition_penalty', label: 'Repetition penalty', hint: '1 is off', min: 1, max: 2, step: 0.05 },
  { key: 'max_tokens', label: 'Longest answer', hint: 'tokens', min: 1, max: 32768, step: 1 },
  { key: 'seed', label: 'Seed', hint: 'the same one gives the same answer', min: 0, max: 2147483647, step: 1 },
]

interface Props {
  readonly settings: ChatSettings
  readonly onChange: (settings: ChatSettings) => void
}

/** How answers are chosen. An empty field leaves it to the model's module. */
export function SamplingPanel({ settings, onChange }: Props) {
  const { system, sampling } = settings
  const set = (key: keyof Sampling, text: string) => {
    const { [key]: _, ...rest } = sampling
    onChange({ ...settings, sampling: text === '' ? rest : { ...rest, [key]: Number(text) } })
  }
  return (
    <section className="sampling" id="sampling" aria-label="Settings of answers">
      <label className="wide">
        <span>System prompt</span>
        <textarea rows={2} value={system} onChange={({ target }) => onChange({ ...settings, system: target.value })} />
      </label>
      {dials.map(({ key, label, hint, min, max, step }) => (
        <label key={key}>
          <span>{label}</span>
          <input
            type="number"
            placeholder="default"
            {...{ min, max, step }}
            value={sampling[key] ?? ''}
            onChange={({ target }) =>
              target.validity.badInput ||
              target.validity.rangeOverflow ||
              target.validity.rangeUnderflow ||
              set(key, target.value)
            }
          />
          <small>{hint}</small>
        </label>
      ))}
      <button type="button" onClick={() => onChange({ system: '', sampling: {} })}>
        Defaults
      </button>
    </section>
  )
}
