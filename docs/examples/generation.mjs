import { ModuleManager } from 'enigma'

const manager = await ModuleManager.open()
await manager.load('inference')
const engine = manager.getInterface('inference')

const story = await engine.complete('Once upon a time', {
  temperature: 0.9,
  topK: 0,
  topP: 0.95,
  minP: 0.02,
  stop: ['\n\n', '.'],
  seed: 7,
})
console.log(`${story.text} (${story.finishReason} at ${JSON.stringify(story.stopString)})`)

const schema = {
  type: 'object',
  properties: {
    animal: { enum: ['fox', 'hare', 'owl'] },
    age: { type: 'integer', minimum: 1, maximum: 20 },
    friends: { type: 'array', items: { type: 'string', maxLength: 12 }, maxItems: 3 },
  },
  required: ['animal', 'age', 'friends'],
}
const json = await engine.complete('The animal as JSON: ', { responseFormat: { type: 'json_schema', schema }, maxTokens: 80 })
const { animal, age, friends } = JSON.parse(json.text)
console.log(`valid: ${animal}, ${Number.isInteger(age)}, ${friends.length <= 3}`)

const weather = {
  type: 'function',
  function: {
    name: 'weather',
    parameters: { type: 'object', properties: { days: { type: 'integer', minimum: 1, maximum: 7 } }, required: ['days'] },
  },
}
const messages = [{ role: 'user', content: 'Will it rain?' }]
const answer = await engine.chatWithTools(messages, { tools: [weather], toolChoice: 'required' })
console.log(answer.finishReason, answer.toolCalls[0].function.name, answer.toolCalls[0].function.arguments)

const { logprobs } = await engine.complete('Once upon a', { temperature: 0, maxTokens: 1, topLogprobs: 3 })
for (const { token, logprob } of logprobs.content[0].top_logprobs) console.log(JSON.stringify(token), logprob.toFixed(2))

const [best] = await engine.beams('The king', { beams: 4, maxTokens: 8 })
const three = await engine.choices('The king', 3, { maxTokens: 8, seed: 1 })
console.log(`beams: ${best.text} (${best.score.toFixed(2)}), choices: ${three.length}`)

const prompts = ['The king', 'The hare', 'Once upon a time']
const streams = prompts.map((prompt) => engine.stream(prompt, { maxTokens: 24, seed: 1 }))
await Promise.all(
  streams.map(async (stream, index) => {
    for await (const piece of stream) console.log(`${prompts[index]}: ${JSON.stringify(piece)}`)
  }),
)

const said = await engine.complete('Once upon a time', { maxTokens: 16 })
const goesOn = await engine.complete(`Once upon a time${said.text} And then`, { maxTokens: 16 })
console.log(`needed no reading: ${goesOn.cachedTokens > 4}`)

const long = 'And they ran. '.repeat(400)
await engine.complete(long).catch((error) => console.log(error.code, error.message))
const cut = await engine.complete(long, { truncate: 'oldest', maxTokens: 8 })
console.log(`left out: ${cut.droppedTokens > 0}, read: ${cut.promptTokens}`)

await manager.shutdown()
