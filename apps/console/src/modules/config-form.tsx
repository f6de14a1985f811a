import { useRef, useState } from 'react'
import { Awaited } from '../parts/page.js'
import { Problem } from '../parts/problem.js'
import { askJson, ServerError } from '../server/ask.js'
import { useServer } from '../server/use-server.js'
import { isOn, type ModuleView } from './module-info.js'
import { type FieldKind, fromText, kindOf, type Schema, toText } from './schema.js'

/** The settings of a module, made from the schema in its manifest. One that is not loaded is loaded with them. */
export function ConfigForm({ id, onDone }: { readonly id: string; readonly onDone: () => void }) {
  const view = useServer<ModuleView>(`/api/modules/${id}`)
  return (
    <Awaited of={view}>
      {(module) =>
        module.info.config?.properties ? (
          <Fields module={module} properties={module.info.config.properties} onDone={onDone} />
        ) : (
          <p className="soft">It has no settings.</p>
        )
      }
    </Awaited>
  )
}

interface FieldsProps {
  readonly module: ModuleView
  readonly properties: Readonly<Record<string, Schema>>
  readonly onDone: () => void
}

function Fields({ module, properties, onDone }: FieldsProps) {
  const { id, config = {} } = module
  const [problem, setProblem] = useState<ServerError>()
  const [saving, setSaving] = useState(false)
  const form = useRef<HTMLFormElement>(null)

  async function save(anew: boolean) {
    setSaving(true)
    setProblem(undefined)
    try {
      const json = { config: configOf(module, properties, new FormData(form.current!)) }
      if (anew) await askJson(`/api/modules/${id}/unload`, { json: {} })
      await askJson(`/api/modules/${id}/${isOn(module) && !anew ? 'configure' : 'load'}`, { json })
      onDone()
    } catch (error) {
      setProblem(error instanceof ServerError ? error : new ServerError(String(error), 0))
    } finally {
      setSaving(false)
    }
  }

  return (
    <form
      className="config"
      ref={form}
      aria-label={`Settings of ${id}`}
      onSubmit={(event) => {
        event.preventDefault()
        void save(false)
      }}
    >
      {Object.entries(properties).map(([name, schema]) => (
        <label key={name} htmlFor={`${id}.${name}`}>
          <span>{name}</span>
          <Field id={`${id}.${name}`} name={name} schema={schema} value={config[name]} />
          {schema.description && <small>{schema.description}</small>}
        </label>
      ))}
      {problem && <Problem problem={problem} />}
      <div className="actions">
        <button type="submit" className="primary" disabled={saving}>
          {isOn(module) ? 'Apply' : 'Load with these'}
        </button>
        {problem?.code === 'config_needs_restart' && (
          <button type="button" disabled={saving} onClick={() => void save(true)}>
            Load it anew
          </button>
        )}
        <button type="button" onClick={onDone}>
          Close
        </button>
      </div>
    </form>
  )
}

/** @throws ServerError for a field that should be JSON and is not */
function configOf(
  { config }: ModuleView,
  properties: FieldsProps['properties'],
  form: FormData,
): Readonly<Record<string, unknown>> {
  const given = Object.entries(properties).map(([name, schema]) => {
    try {
      return [name, fromText(kindOf(schema), String(form.get(name) ?? ''))] as const
    } catch {
      throw new ServerError(`'${name}' is no JSON.`, 0)
    }
  })
  // Settings without a field here stay as they are; an empty field takes the default.
  const next = { ...config, ...Object.fromEntries(given) }
  return Object.fromEntries(Object.entries(next).filter(([, value]) => value !== undefined))
}

interface FieldProps {
  readonly id: string
  readonly name: string
  readonly schema: Schema
  readonly value: unknown
}

function Field({ id, name, schema, value }: FieldProps) {
  const kind: FieldKind = kindOf(schema)
  const text = toText(kind, value ?? (kind === 'lines' || kind === 'json' ? schema.default : undefined))
  const common = { id, name, defaultValue: text, placeholder: toText(kind, schema.default) }
  if (kind === 'flag' || kind === 'choice') {
    const choices = kind === 'flag' ? ['true', 'false'] : (schema.enum as readonly string[])
    return (
      <select id={id} name={name} defaultValue={text}>
        <option value="">{schema.default === undefined ? 'not set' : `default (${String(schema.default)})`}</option>
        {choices.map((choice) => (
          <option key={choice}>{choice}</option>
        ))}
      </select>
    )
  }
  if (kind === 'lines' || kind === 'json') return <textarea rows={3} {...common} />
  if (kind === 'text') return <input type="text" {...common} />
  return (
    <input
      type="number"
      step={schema.type === 'integer' ? 1 : 'any'}
      {...(schema.minimum !== undefined && { min: schema.minimum })}
      {...(schema.maximum !== undefined && { max: schema.maximum })}
      {...common}
    />
  )
}
