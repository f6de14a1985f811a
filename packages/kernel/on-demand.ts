import { createRequire } from 'node:module'

// Packages that take long to import, loaded when they are first needed: together they were four fifths of importing the
// kernel (Ajv 40 ms of CPU time, yaml 22, semver 16), and a program that registers its modules may need none of them.

const require = createRequire(import.meta.url)

export const ajv = (): typeof import('ajv') => require('ajv')
export const semver = (): typeof import('semver') => require('semver')
export const yaml = (): typeof import('yaml') => require('yaml')
