import { codeCommand } from '@enigma/engines'

export const completeCommand = codeCommand('code-gen-local')
