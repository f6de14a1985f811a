export const statusCommand = {
  name: 'status',
  description: 'Show module status',
  execute: async ({ getInterface }) => {
    const { passed, unit } = await getInterface('uptime')
    return `up for ${Math.floor(passed())} ${unit}`
  },
}
