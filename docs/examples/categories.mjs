// Enigma guide, "Use Categories to Organize", "Handle Load Failures" and "Clean Up Resources".
import { ModuleManager } from 'enigma'

const manager = await ModuleManager.open()
try {
  // Load all core modules
  for (const { id } of manager.listModules({ category: 'core' })) {
    if ((await manager.canLoad(id)).ok) await manager.load(id)
  }
  console.log(`Core: ${manager.listLoaded().sort()}`)

  // Don't crash, adapt
  const { ok, reason } = await manager.tryLoad('optional_module')
  if (!ok) console.log(`Continuing without it: ${reason}`)

  // Each has a state, and says how it is
  for (const [id, { status }] of Object.entries(await manager.health())) {
    console.log(`${id}: ${manager.getModule(id).state}, ${status}`)
  }
} finally {
  // Always clean up: dependents first, whatever fails. In TypeScript `await using manager` does it.
  await manager.shutdown()
}
