// The module system speaks to programmers. What its sentences name as calls is said here as commands.

const words: readonly (readonly [RegExp, string])[] = [
  [/pass \{ (\w+): true \}/g, 'add --$1'],
  [/await manager\.load\('([^']+)'\)/g, 'enigma modules load $1'],
  [/ with unload\('([^']+)'\), or change it in place with configure\([^)]*\)\./g, ': enigma modules unload $1'],
  [/Module '([^']+)' is disabled\. Enable it first\./g, "Module '$1' is disabled. Enable it first: enigma modules enable $1"],
  [/Open the manager with \{ localOnly: false \}\./g, 'Set ENIGMA_ALLOW_CLOUD=1 to allow them.'],
  [/Save it again with saveConfig\./g, 'Start over with: enigma modules unload --all'],
  [/reset it: await manager\.reset\('([^']+)'\)/g, 'run: enigma modules enable $1'],
  [/restore with accept: \['[^']+'\] \(([^)]+)\)/g, 'run: $1'],
  [/allow it with truncate: '(\w+)'/g, 'allow it with --truncate $1'],
  [/, or open a new manager\./g, '.'],
]

/** A sentence of the module system in the words of the command line. */
export function inCommandWords(text: string): string {
  return words.reduce((said, [call, command]) => said.replace(call, command), text)
}
