#!/usr/bin/env node
// Committed as it is: npm links a bin only if its file exists, and the built code does not before the first build.
import { existsSync } from 'node:fs'

const built = new URL('../dist/index.js', import.meta.url)
const [major, minor] = process.versions.node.split('.').map(Number)

if (major < 20 || (major === 20 && minor < 19)) {
  console.error(
    `error: Enigma needs Node 20.19 or later; this is ${process.versions.node}. Install a newer one: https://nodejs.org`,
  )
  process.exitCode = 1
} else if (!existsSync(built)) {
  console.error('error: Enigma is not built yet. Run: npm run build')
  process.exitCode = 1
} else {
  const { main } = await import(built.href)
  process.exitCode = await main(process.argv.slice(2))
}
