// Writes the pages that are made from tables: docs/reference-ops.md from the op table, docs/reference-layers.md from the layer
// registry and the optimizers. `node scripts/reference.mjs` after a build; scripts/reference.test.mjs says when they are stale.
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { builtinLayers, optim } from '@enigma/nn'
import { opGroups } from '@enigma/tensor'

const docs = join(resolve(import.meta.dirname, '..'), 'docs')
const generated = '<!-- Made by scripts/reference.mjs: change the tables, then run it. -->'
const cell = (text) => String(text).replaceAll('|', '\\|').replaceAll('\n', ' ')
const table = (head, rows) => [
  `| ${head.join(' | ')} |`,
  `|${head.map(() => '---').join('|')}|`,
  ...rows.map((row) => `| ${row.map(cell).join(' | ')} |`),
]

function ops() {
  const groups = Object.entries(opGroups).flatMap(([group, entries]) => [
    `## ${group[0].toUpperCase()}${group.slice(1)}`,
    '',
    ...table(
      ['Op', 'Computes', 'Gradient'],
      Object.entries(entries)
        .sort(([a], [b]) => a.localeCompare(b))
        .map(([name, { summary, vjp }]) => [`\`${name}\``, summary, vjp ? 'yes' : 'none']),
    ),
    '',
  ])
  const count = Object.values(opGroups).reduce((sum, entries) => sum + Object.keys(entries).length, 0)
  return [
    generated,
    '',
    '# Ops',
    '',
    `What a traced program is made of: ${count} ops. Each is one entry of a table: this sentence, a shape rule, a derivative made of ops, a lowering to`,
    'ONNX. A test compares each with a float64 reference on several shapes, and each derivative with central differences. The methods of',
    '`Tensor` and the functions of `@enigma/tensor` record these ops, alone or composed.',
    '',
    ...groups,
  ].join('\n')
}

const shape = (pattern) => (pattern ? `[${pattern.join(', ')}]` : '')
const parameter = ([name, { type, required, default: value }]) =>
  `\`${name}\`: ${type}${required ? '' : value === undefined ? '?' : ` = ${value}`}`

function layers() {
  const all = builtinLayers().listLayers()
  const categories = [...new Set(all.map(({ category }) => category))].sort()
  return [
    generated,
    '',
    '# Layers',
    '',
    `The ${all.length} layer types of \`builtinLayers()\`, as configurations and pipelines name them; \`nn\` has a class for each. Shapes leave the batch out.`,
    '',
    ...categories.flatMap((category) => [
      `## ${category}`,
      '',
      ...table(
        ['Type', 'Is', 'Settings', 'Shape'],
        all
          .filter((layer) => layer.category === category)
          .sort((a, b) => a.type.localeCompare(b.type))
          .map(({ type, description, parameters, inputShape, outputShape }) => [
            `\`${type}\``,
            description,
            Object.entries(parameters ?? {})
              .map(parameter)
              .join(', '),
            inputShape && outputShape ? `${shape(inputShape)} → ${shape(outputShape)}` : '',
          ]),
      ),
      '',
    ]),
    '# Schedules',
    '',
    `\`optim.schedules\`: ${Object.keys(optim.schedules)
      .sort()
      .map((name) => `\`${name}\``)
      .join(', ')}.`,
    '',
  ].join('\n')
}

/** Page → its text. */
export const pages = { 'reference-ops.md': ops(), 'reference-layers.md': layers() }

if (process.argv[1] === import.meta.filename)
  for (const [name, text] of Object.entries(pages)) writeFileSync(join(docs, name), text)
