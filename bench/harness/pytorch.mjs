/** PyTorch as a peer: finding an interpreter that has it, and installing it on demand. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { runChild } from './child.mjs'

const venv = fileURLToPath(new URL('../peers/pytorch', import.meta.url))
const venvPython = `${venv}/bin/python`

/** Where each peer may be, in the order tried, and what to do when it is not. */
const peers = {
  pytorch: {
    variable: 'ENIGMA_PYTORCH',
    otherwise: venvPython,
    fits: ({ major }) => major >= 2,
    wanted: 'PyTorch from 2.0',
    install: 'npm run bench -- train --install, or ENIGMA_PYTORCH=<python with PyTorch 2>',
  },
  'pytorch-1.13': {
    variable: 'ENIGMA_PYTORCH_113',
    otherwise: '/usr/bin/python3',
    fits: ({ version }) => version.startsWith('1.13.'),
    wanted: 'PyTorch 1.13',
    install: 'apt-get install python3-torch libopenblas0-pthread (Debian 12), or ENIGMA_PYTORCH_113=<python with PyTorch 1.13>',
  },
}

/** The settings that hold every BLAS and OpenMP to `threads`. */
export function threadEnvironment(threads) {
  return Object.fromEntries(['OMP_NUM_THREADS', 'MKL_NUM_THREADS', 'OPENBLAS_NUM_THREADS'].map((name) => [name, String(threads)]))
}

/**
 * Looks for the PyTorch peers.
 * @param script a Python file that answers `probe --threads n` with `{ version, major, blas, gemmGflops, … }`
 * @returns `{ found: [{ subject, python, probe }], absent: [{ subject, reason }] }`
 */
export async function findPyTorch(script, threads) {
  const found = []
  const absent = []
  for (const [subject, { variable, otherwise, fits, wanted, install }] of Object.entries(peers)) {
    const python = process.env[variable] ?? otherwise
    const missing = (reason) => absent.push({ subject, reason: `${reason}; install: ${install}` })
    if (python.includes('/') && !existsSync(python)) {
      missing(process.env[variable] === undefined ? 'not installed' : `${variable} names a file that is not there`)
      continue
    }
    const args = [script, 'probe', '--threads', String(threads)]
    const { sample: probe, failure } = await runChild({ command: python, args, env: threadEnvironment(threads) })
    if (failure !== undefined) missing(failure)
    else if (!fits(probe)) missing(`it is PyTorch ${probe.version}, not ${wanted}`)
    else if (!['mkl', 'openblas', 'accelerate'].includes(probe.blas))
      missing(`its matrix products come from the ${probe.blas} BLAS, no baseline`)
    else found.push({ subject, python, probe })
  }
  return { found, absent }
}

/** Makes bench/peers/pytorch with the current release. */
export async function installPyTorch() {
  await inherit('python3', ['-m', 'venv', venv])
  await inherit(venvPython, ['-m', 'pip', 'install', '--upgrade', 'torch', 'numpy'])
}

async function inherit(command, args) {
  const child = spawn(command, args, { stdio: ['ignore', 2, 2] })
  await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`${command} ${args.join(' ')} ended with exit code ${code}`)),
    )
  })
}
