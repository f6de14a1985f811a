/** Samples of several subjects, taking turns. */
import { runChild } from './child.mjs'

/**
 * Each round runs every subject once in a fresh process; round r starts with subject r, so that none always follows the same.
 * @param subjects `{ subject, command, args, env?, check(sample), every? }`; `check` returns what is wrong with a sample, or
 * undefined; a slow subject runs in `every`-th rounds only.
 * @returns the valid samples by subject (`{ ...sample, wallMs, others, round }`) and a sentence for each void one.
 */
export async function interleave({ what, subjects, samples, log }) {
  const valid = new Map(subjects.map(({ subject }) => [subject, []]))
  const voided = []
  for (let round = 0; round < samples; round++) {
    for (let turn = 0; turn < subjects.length; turn++) {
      const { subject, check, every = 1, ...child } = subjects[(round + turn) % subjects.length]
      if (round % every !== 0) continue
      const { sample, failure, ...measured } = await runChild(child)
      const wrong = failure ?? check(sample)
      if (wrong === undefined) valid.get(subject).push({ ...sample, ...measured, round })
      else voided.push({ what, subject, reason: wrong })
      log(`${what} ${round + 1}/${samples} ${subject}: ${wrong === undefined ? 'valid' : `VOID, ${wrong}`}`)
    }
  }
  return { valid, voided }
}
