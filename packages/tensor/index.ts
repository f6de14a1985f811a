export * from './dtype.js'
export * from './errors.js'
