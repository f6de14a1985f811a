// Makes the text of storyteller's tuning: node dialogues.mjs <dialogs> <stories/train.txt> <out>
//
//   <out>/first.jsonl, second.jsonl, third.jsonl   for three courses: conversations, stories that are asked for, and stories as they are
//   <out>/held.jsonl   dialogues whose question is in none of the others: to measure what was learned
//
// What is taken and what is not stands in small-talk.mjs, what was added in written.mjs. Whatever is drawn is drawn with a fixed seed: the
// same input, the same bytes.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Drawing } from './drawing.mjs'
import { foundIn } from './found.mjs'
import { isHeld, keyOf, keysOf, typed } from './questions.mjs'
import * as talk from './small-talk.mjs'
import { beginsAsTale, storiesAbout, toldStory, topicOf } from './told.mjs'
import { later, names, naming, namingAgain, settled, written } from './written.mjs'

const [dialogs, stories, out] = process.argv.slice(2)
const documents = readFileSync(stories, 'utf8')
  .split(/^<\|endoftext\|>\n/m)
  .slice(0, -1)
const told = documents.map(toldStory).filter(Boolean)
const found = foundIn(dialogs)

/**
 * `found`, `others`, `firsts`, `named`: how often a question of the dialogues is learned, one that was written for this model, the first of
 * a group of these, an introduction. `told`: stories that are asked for. `plain`: characters of stories as they are.
 */
const courses = [
  {
    name: 'first',
    seed: 1,
    groups: written,
    introductions: naming,
    found: 24,
    others: 24,
    firsts: 24,
    named: 2,
    told,
    plain: 1_200_000,
  },
  {
    name: 'second',
    seed: 2,
    groups: [...written, ...later],
    introductions: namingAgain,
    found: 10,
    others: 16,
    firsts: 32,
    named: 1,
    told,
    plain: 300_000,
  },
  {
    name: 'third',
    seed: 3,
    groups: [...written, ...settled],
    introductions: namingAgain,
    found: 4,
    others: 10,
    firsts: 40,
    named: 1,
    told: [...storiesAbout(documents), ...told.filter(beginsAsTale)],
    plain: 0,
  },
]

/** Dialogues that the written ones do not replace. */
const foundBeside = (groups) => {
  const replaced = keysOf(groups.flatMap(({ ask }) => ask))
  return found.filter(({ ask }) => !replaced.has(keyOf(ask)))
}
/** Of a written group, all but the first may be held out. */
const heldOf = ({ ask }) => ask.slice(1).filter(isHeld)
const held = [
  ...foundBeside(written).filter(({ ask }) => isHeld(ask)),
  ...written.flatMap((group) => heldOf(group).map((ask) => ({ ask, answer: group.answer[0] }))),
]

const messagesOf = (turns) =>
  turns.flatMap(({ ask, answer }) => [
    { role: 'user', content: ask },
    { role: 'assistant', content: answer },
  ])

class Course {
  #plan
  #draw

  constructor(plan) {
    this.#plan = plan
    this.#draw = new Drawing(plan.seed)
  }

  lines() {
    const draw = this.#draw
    const smalls = draw.shuffled(this.#smallTalk())
    const isOffer = ({ answer }) => /(story|one)\?$/.test(answer)
    const isAsking = ({ answer }) => /about\?$|be about\.$/.test(answer)
    const turns = {
      offers: smalls.filter(isOffer),
      askings: smalls.filter(isAsking),
      others: smalls.filter((turn) => !isOffer(turn) && !isAsking(turn)),
    }
    const withStories = this.#plan.told.map((story) => {
      const around = this.#turnsAround(story, turns)
      return { messages: [...this.#system(), ...messagesOf(around)] }
    })
    const talks = this.#conversations(draw.shuffled([...turns.others, ...turns.offers, ...turns.askings]))
    return draw.shuffled([...talks, ...withStories, ...this.#plain()])
  }

  #smallTalk() {
    const { groups, found: often, others, firsts, introductions, named } = this.#plan
    const draw = this.#draw
    const repeat = (count, make) => Array.from({ length: count }, make)
    const heldKeys = keysOf(held.map(({ ask }) => ask))
    return [
      ...foundBeside(groups)
        .filter(({ ask }) => !isHeld(ask))
        .flatMap(({ ask, answer }) => repeat(often, () => ({ ask: typed(ask, draw), answer }))),
      ...groups.flatMap(({ ask, answer }) =>
        ask.flatMap((one, at) =>
          heldKeys.has(keyOf(one))
            ? []
            : repeat(at === 0 ? firsts : others, () => ({ ask: typed(one, draw), answer: draw.oneOf(answer) })),
        ),
      ),
      ...names.flatMap((name) =>
        introductions.flatMap((pair) =>
          repeat(named, () => {
            const [ask, answer] = pair.map((text) => text.replace('*', name))
            return { ask: typed(ask, draw), answer }
          }),
        ),
      ),
    ]
  }

  /** A request for a story and the story. */
  #storyTurn(story) {
    const draw = this.#draw
    const topic = story.topic ?? topicOf(story, draw)
    const ask =
      topic && (story.topic || draw.happens(0.8)) ? draw.oneOf(talk.askStoryAbout).replace('*', topic) : draw.oneOf(talk.askStory)
    return { ask: typed(ask, draw), answer: story.answer }
  }

  /** A story comes alone, after a word or two, before them, or when it was offered. */
  #turnsAround(story, { others, offers, askings }) {
    const draw = this.#draw
    const turn = this.#storyTurn(story)
    const topic = story.topic ?? topicOf(story, draw)
    const chance = draw.number()
    if (chance < 0.5) return [turn]
    if (chance < 0.6) return [others.pop(), turn]
    if (chance < 0.75) return [turn, others.pop()]
    if (chance < 0.9 || !topic) return [offers.pop(), { ask: typed(draw.oneOf(talk.agree), draw), answer: story.answer }]
    return [askings.pop(), { ask: typed(draw.oneOf(talk.about).replace('*', topic), draw), answer: story.answer }]
  }

  #system() {
    return this.#draw.happens(0.2) ? [{ role: 'system', content: this.#draw.oneOf(talk.systems) }] : []
  }

  /** Turns as conversations: most of one, some of two or three that happened to come together. */
  #conversations(turns) {
    const lines = []
    for (let at = 0; at < turns.length; ) {
      const chance = this.#draw.number()
      const length = chance < 0.6 ? 1 : chance < 0.85 ? 2 : 3
      lines.push({ messages: [...this.#system(), ...messagesOf(turns.slice(at, at + length))] })
      at += length
    }
    return lines
  }

  #plain() {
    const lines = []
    for (let [at, length] = [0, 0]; length < this.#plan.plain; at++) {
      lines.push({ text: documents[at] })
      length += documents[at].length
    }
    return lines
  }
}

mkdirSync(out, { recursive: true })
const write = (name, lines) => writeFileSync(join(out, name), lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
for (const plan of courses) write(`${plan.name}.jsonl`, new Course(plan).lines())
write(
  'held.jsonl',
  held.map((turn) => ({ messages: messagesOf([turn]) })),
)
