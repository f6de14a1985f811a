export const listCommand = {
  name: 'list',
  description: 'List the conversations',
  async execute({ getInterface }) {
    const memory = await getInterface('memory')
    return memory.list().map((name) => ({ name, messages: memory.messages(name).length }))
  },
}
