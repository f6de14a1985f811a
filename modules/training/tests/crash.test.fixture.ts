// A training process that tells of one step, complains and dies.

process.on('message', () => {
  process.send?.({ type: 'event', event: { type: 'start', parameters: 1, steps: 9, step: 0, tokens: 1, resumed: false } })
  process.stderr.write('warning: low battery\nfatal: the disk is on fire\n', () => process.exit(3))
})
