import { readFileSync } from 'node:fs'
import { decodeModel } from '@enigma/tensor/onnx'

type Schema = [since: number, minInputs: number, maxInputs: number, maxOutputs: number, attributes: string]

const schemas = JSON.parse(readFileSync(new URL('../../golden/onnx-schemas.json', import.meta.url), 'utf8')) as Record<
  string,
  Schema
>

/**
 * What the reference checker checks, structurally: versions, known operators with the right number of operands and known
 * attributes, each name made once and before it is used, outputs that are made. The checker itself is Python:
 * `golden/check_onnx.py`; its schemas are in `golden/onnx-schemas.json`. Returns what is wrong.
 */
export function checkModel(bytes: Uint8Array): string[] {
  const { graph, irVersion, opsets } = decodeModel(bytes)
  const wrong: string[] = []
  const claim = (right: boolean, what: string) => {
    if (!right) wrong.push(what)
  }
  claim(irVersion >= 8 && irVersion <= 10, `file format ${irVersion}`)
  claim(JSON.stringify(opsets) === '{"":18}', `operator sets ${JSON.stringify(opsets)}`)
  claim(graph.name !== '', 'a graph without a name')
  const made = new Set<string>()
  const make = (name: string) => {
    claim(name !== '' && !made.has(name), `'${name}' is made twice`)
    made.add(name)
  }
  for (const { name } of [...graph.inputs, ...graph.initializers]) make(name)
  for (const { op, domain, inputs, outputs, attributes } of graph.nodes) {
    const schema = domain === '' ? schemas[op] : undefined
    if (!schema) {
      wrong.push(`operator ${domain}.${op}`)
      continue
    }
    const [, least, most, mostOutputs, known] = schema
    claim(inputs.length >= least && (most < 0 || inputs.length <= most), `${op} with ${inputs.length} inputs`)
    claim(outputs.length >= 1 && (mostOutputs < 0 || outputs.length <= mostOutputs), `${op} with ${outputs.length} outputs`)
    for (const name of Object.keys(attributes)) claim(known.split(' ').includes(name), `${op} with attribute ${name}`)
    for (const name of inputs) claim(name === '' || made.has(name), `${op} reads '${name}' before it is made`)
    for (const name of outputs) if (name !== '') make(name)
  }
  for (const { name } of graph.outputs) claim(made.has(name), `the output '${name}' is not made`)
  return wrong
}
