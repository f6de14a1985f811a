import { cancel, isCancel, select } from '@clack/prompts'

/** What `enigma` alone asks at a terminal: the seed documents' menu. Returns the chosen command line, or null. */
export async function menu(): Promise<readonly string[] | null> {
  const chosen = await select({
    message: 'Enigma: what would you like to do?',
    options: [
      { value: 'chat', label: 'Chat', hint: 'talk to the model that ships' },
      { value: 'models ls', label: 'See the models', hint: 'on this machine' },
      { value: 'modules ls', label: 'See the modules', hint: 'what can be switched on and off' },
      { value: 'doctor', label: 'Check this machine', hint: 'what is wrong and the fix' },
      { value: '--help', label: 'Show all commands' },
    ],
  })
  if (!isCancel(chosen)) return chosen.split(' ')
  cancel('Bye.')
  return null
}
