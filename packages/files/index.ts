// Where Enigma keeps its files, and how it writes them.

export { isAlive } from './alive.js'
export { type EnigmaFolders, enigmaFolders } from './folders.js'
export { Mailbox } from './mailbox.js'
export { RotatingFile } from './rotating-file.js'
export { writeAtomic } from './write-atomic.js'
