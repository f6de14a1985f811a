import { command } from '../../command.js'
import { openSavedSet } from '../../session.js'

export const modulesTimeline = command({
  name: 'modules timeline',
  summary: 'how long each module of the saved set takes to load and to start',
  async run({ out }) {
    await using manager = await openSavedSet(out)
    const { entries, text } = manager.timeline()
    out.result({ entries }, () => text || 'Nothing is loaded.')
    return 0
  },
})
