import { useState } from 'react'
import { Awaited, Page } from '../parts/page.js'
import { useServer } from '../server/use-server.js'
import { ModuleCard } from './module-card.js'
import { grouped, isOn, type ModuleInfo } from './module-info.js'

/** Everything that can be switched on and off. */
export function ModulesPage() {
  const [search, setSearch] = useState('')
  const list = useServer<{ modules: readonly ModuleInfo[] }>('/api/modules', /^module\./)
  return (
    <Page
      title="Modules"
      aside={
        <input
          type="search"
          className="search"
          placeholder="Search"
          aria-label="Search modules"
          value={search}
          onChange={({ target }) => setSearch(target.value)}
        />
      }
    >
      <Awaited of={list}>
        {({ modules }) => {
          const groups = grouped(modules, search)
          if (groups.length === 0) return <p className="soft">No module has these words in it.</p>
          return groups.map(({ category, modules: members }) => (
            <section key={category} aria-label={category}>
              <h2 className="group">
                {category}
                <small>
                  {members.filter(isOn).length} of {members.length} on
                </small>
              </h2>
              <div className="cards">
                {members.map((module) => (
                  <ModuleCard key={module.id} module={module} onChange={list.refresh} />
                ))}
              </div>
            </section>
          ))
        }}
      </Awaited>
    </Page>
  )
}
