/** The table for people, the file, and the last line for programs. */
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { quietLoad } from './machine.mjs'

/** Three significant digits, whole from 100 on. */
export function short(value) {
  if (value === undefined) return ''
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3)
}

function table(lines) {
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)))
  return lines.map((line) =>
    line.map((cell, column) => (column < 2 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join('  '),
  )
}

/**
 * Prints the report. A row may carry `details`, an object of further columns; the same keys in every row.
 */
export function printReport({ suite, load, machine, rows, ratios, absent, voided, notes, versions }) {
  const mark = load > quietLoad ? '*' : ''
  const details = Object.keys(rows[0]?.details ?? {})
  const head = ['what', 'subject', 'median', 'min–max', 'unit', ...details, 'n']
  const body = rows.map((row) => [
    row.what,
    row.subject,
    short(row.median) + mark,
    `${short(row.min)}–${short(row.max)}`,
    row.unit,
    ...details.map((key) => (typeof row.details[key] === 'number' ? short(row.details[key]) : String(row.details[key] ?? ''))),
    String(row.n),
  ])
  console.log(
    `\n${suite} on ${machine.processor}, ${machine.cores} cores (${machine.vectorExtensions.join(' ')}), ${machine.memoryGiB} GiB, ${machine.system}`,
  )
  console.log(
    `versions: ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join('; ')}`,
  )
  console.log(`load average before the run: ${load}${mark === '' ? '' : ` (* above ${quietLoad}: something else was running)`}\n`)
  console.log(table([head, ...body]).join('\n'))
  for (const [name, ratio] of Object.entries(ratios)) console.log(`\n${name}: ${ratio.toFixed(3)}×${mark}`)
  if (notes.length > 0) console.log(`\n${notes.join('\n')}`)
  for (const { subject, reason } of absent) console.log(`\nabsent: ${subject} (${reason})`)
  for (const { what, subject, reason } of voided) console.log(`\nVOID: ${what} ${subject}: ${reason}`)
  console.log()
}

/** The one line of JSON that every suite ends with. */
export function lastLine({ suite, load, rows, ratios }) {
  const plain = rows.map(({ what, subject, unit, median, min, max, n }) => ({ what, subject, unit, median, min, max, n }))
  return JSON.stringify({ suite, load, rows: plain, ratios })
}

/** Keeps the whole report, samples included; written beside and renamed, so that it is never half there. */
export async function writeResult(url, report) {
  await mkdir(new URL('.', url), { recursive: true })
  const temporary = new URL(`${url.href}.tmp`)
  await writeFile(temporary, `${JSON.stringify({ date: new Date().toISOString(), ...report }, null, 1)}\n`)
  await rename(temporary, url)
}
