import { Bar } from '../parts/bar.js'
import { Awaited, Page } from '../parts/page.js'
import { bytes } from '../parts/units.js'
import { useConnected } from '../server/live.js'
import { useServer } from '../server/use-server.js'

interface Hardware {
  readonly cpuCores: number
  readonly ramTotal: number
  readonly ramFree: number
  readonly diskFree: number
  readonly platform: string
  readonly arch: string
  readonly gpus: readonly { readonly name: string; readonly vramTotal: number }[]
}

interface Resources {
  readonly pools: readonly {
    readonly name: string
    readonly free: number
    readonly held: number
    readonly share: number
    readonly level: string
  }[]
  readonly modules: readonly { readonly id: string; readonly held: { readonly ram: number; readonly vram: number } }[]
}

type Health = Readonly<Record<string, { readonly status: string; readonly message?: string }>>

interface Timeline {
  readonly entries: readonly { readonly id: string; readonly at: number; readonly loadMs: number; readonly startMs: number }[]
}

/** What may change the figures of this page. */
const changes = /^(module|model)\./

/** The machine, and what is on it. */
export function SystemPage() {
  const connected = useConnected()
  const info = useServer<{ model: string; version: string }>('/info', changes)
  const hardware = useServer<Hardware>('/api/hardware', changes)
  const resources = useServer<Resources>('/api/resources', changes)
  const health = useServer<Health>('/api/health', changes)
  const timeline = useServer<Timeline>('/api/timeline', changes)
  return (
    <Page
      title="System"
      aside={<span className={`state ${connected ? 'active' : 'error'}`}>{connected ? 'live' : 'not connected'}</span>}
    >
      <div className="panels">
        <section className="card" aria-label="Machine">
          <h2>Machine</h2>
          <Awaited of={hardware}>{(machine) => <Facts of={factsOf(machine, info.data)} />}</Awaited>
        </section>
        <section className="card" aria-label="Memory">
          <h2>Memory</h2>
          <Awaited of={resources}>{(report) => <Memory report={report} />}</Awaited>
        </section>
        <section className="card" aria-label="Health">
          <h2>Health</h2>
          <Awaited of={health}>
            {(records) => (
              <ul className="rows">
                {Object.entries(records).map(([id, { status, message }]) => (
                  <li key={id}>
                    <span className={`state ${status}`}>{status}</span>
                    <span>{id}</span>
                    {message && <small>{message}</small>}
                  </li>
                ))}
              </ul>
            )}
          </Awaited>
        </section>
        <section className="card" aria-label="Start">
          <h2>Start</h2>
          <Awaited of={timeline}>{({ entries }) => <Start entries={entries} />}</Awaited>
        </section>
      </div>
    </Page>
  )
}

const factsOf = (
  { cpuCores, ramTotal, ramFree, diskFree, platform, arch, gpus }: Hardware,
  info?: { model: string; version: string },
) => ({
  Processor: `${cpuCores} cores, ${arch}, ${platform}`,
  Memory: `${bytes(ramFree)} free of ${bytes(ramTotal)}`,
  Disk: `${bytes(diskFree)} free`,
  Graphics: gpus.map(({ name, vramTotal }) => `${name}, ${bytes(vramTotal)}`).join('; ') || 'none found',
  Model: info?.model ?? 'none loaded',
  Version: info?.version ?? 'not known while no model is loaded',
})

const Facts = ({ of }: { readonly of: Readonly<Record<string, string>> }) => (
  <dl className="fact-list">
    {Object.entries(of).map(([name, value]) => (
      <div key={name}>
        <dt>{name}</dt>
        <dd>{value}</dd>
      </div>
    ))}
  </dl>
)

function Memory({ report: { pools, modules } }: { readonly report: Resources }) {
  return (
    <>
      {pools.map(({ name, free, held, share, level }) => (
        <div key={name} className="pool">
          <p>
            <strong>{name}</strong> {Math.round(share * 100)} % in use, {bytes(held)} held by modules, {bytes(free)} free
          </p>
          <Bar label={`${name} in use`} to={share} level={level} />
          <ul className="rows">
            {modules.map(({ id, held: { ram, vram } }) => (
              <li key={id}>
                <span>{id}</span>
                <small>
                  {bytes(ram)}
                  {vram > 0 && ` and ${bytes(vram)} of graphics memory`}
                </small>
                <Bar label={`${id}, of what modules hold`} to={held > 0 ? (ram + vram) / held : 0} />
              </li>
            ))}
          </ul>
        </div>
      ))}
      {modules.length === 0 && <p className="soft">No module holds memory.</p>}
    </>
  )
}

/** Who was loaded when: a bar from its beginning to its end. */
function Start({ entries }: Timeline) {
  const end = Math.max(1, ...entries.map(({ at, loadMs, startMs }) => at + loadMs + startMs))
  return (
    <ul className="rows timeline">
      {entries.map(({ id, at, loadMs, startMs }) => (
        <li key={`${id} ${at}`}>
          <span>{id}</span>
          <small>{Math.round(loadMs + startMs)} ms</small>
          <Bar label={`${id} in the time of the start`} from={at / end} to={(at + loadMs + startMs) / end} />
        </li>
      ))}
    </ul>
  )
}
