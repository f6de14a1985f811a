import { useState } from 'react'
import { Icon } from '../parts/icons.js'
import { askJson, ServerError } from '../server/ask.js'
import { ConfigForm } from './config-form.js'
import { isMoving, isOn, type ModuleInfo, showsThisPage } from './module-info.js'

interface Ask {
  readonly action: 'load' | 'unload' | 'swap' | 'enable' | 'reset'
  readonly id: string
  readonly json?: object
}

/** A refusal: why, and what would do instead. */
interface Refusal {
  readonly reason: string
  readonly ways: readonly { readonly label: string; readonly ask: Ask }[]
}

/** What can be asked instead, by the code of the refusal. */
function refusalOf(error: ServerError, { action, id }: Ask): Refusal {
  const { code, modules, alternatives, message: reason } = error
  if (code === 'required_by')
    return {
      reason,
      ways: [{ label: `Unload with ${modules.join(', ')}`, ask: { action: 'unload', id, json: { cascade: true } } }],
    }
  if (code === 'capability_taken')
    return {
      reason,
      ways: modules.map((taker) => ({
        label: `Put it in the place of ${taker}`,
        ask: { action: 'swap', id: taker, json: { to: id } },
      })),
    }
  if (code === 'disabled') return { reason, ways: [{ label: 'Enable it', ask: { action: 'enable', id } }] }
  if (code === 'quarantined') return { reason, ways: [{ label: 'Take it out of quarantine', ask: { action: 'reset', id } }] }
  const others = action === 'load' ? alternatives : []
  return { reason, ways: others.map((other) => ({ label: `Load ${other}`, ask: { action: 'load', id: other } })) }
}

export function ModuleCard({ module, onChange }: { readonly module: ModuleInfo; readonly onChange: () => void }) {
  const { id, name, description, version, state, error, broken } = module
  const [asking, setAsking] = useState(false)
  const [refusal, setRefusal] = useState<Refusal>()
  const [settings, setSettings] = useState(false)
  const on = isOn(module)

  async function ask(given: Ask) {
    setAsking(true)
    setRefusal(undefined)
    try {
      await askJson(`/api/modules/${given.id}/${given.action}`, { json: given.json ?? {} })
    } catch (problem) {
      setRefusal(refusalOf(problem instanceof ServerError ? problem : new ServerError(String(problem), 0), given))
    }
    setAsking(false)
    onChange()
  }

  return (
    <article className={`card ${on ? 'on' : ''}`} aria-label={name}>
      <header>
        <div>
          <h3>{name}</h3>
          <small>
            {id} {version}
          </small>
        </div>
        <button
          type="button"
          role="switch"
          className="switch"
          aria-checked={on}
          aria-label={`${name}: ${state}`}
          disabled={asking || broken || isMoving(module) || (on && showsThisPage(module))}
          title={showsThisPage(module) ? 'It shows this page' : state}
          onClick={() => void ask({ action: on ? 'unload' : 'load', id })}
        />
      </header>
      <p>{description}</p>
      <footer>
        <span className={`state ${state}`}>{asking && !isMoving(module) ? 'working' : state}</span>
        {!broken && (
          <button type="button" className="quiet" aria-expanded={settings} onClick={() => setSettings(!settings)}>
            <Icon name="tune" /> Settings
          </button>
        )}
      </footer>
      {error && !refusal && <p className="refusal">{error}</p>}
      {refusal && (
        <div className="refusal" role="alert">
          <p>{refusal.reason}</p>
          <div className="actions">
            {refusal.ways.map((way) => (
              <button key={way.label} type="button" onClick={() => void ask(way.ask)}>
                {way.label}
              </button>
            ))}
            <button type="button" onClick={() => setRefusal(undefined)}>
              Leave it
            </button>
          </div>
        </div>
      )}
      {settings && <ConfigForm id={id} onDone={() => setSettings(false)} />}
    </article>
  )
}
