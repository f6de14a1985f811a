import { topics } from './small-talk.mjs'

/** Characters of a story that is an answer: it fits the window and the 256 tokens of an answer. */
const [shortest, longest] = [250, 900]

/** As much of a text as fits, to the end of a sentence. */
const fitting = (text) =>
  text.length <= longest ? text : text.slice(0, longest).replace(/(?<=[.!?]["']?)\s(?!.*[.!?]["']?\s)[^]*$/s, '')

/** A story as an answer: whole if it is short, else its beginning to the end of a sentence; undefined where it is no story to begin with. */
export function toldStory(document) {
  const [title, ...rest] = document.split('\n')
  const text = rest.join('\n').trim()
  const whole = text.length <= longest
  if (text.length < shortest || (!whole && !/^(Once|Long|There (was|were|lived)|In (a|the)|One|An? |At the|Many)/.test(text)))
    return undefined
  if (/^(Chapter|Translated|From|To )|^.{0,60}\n.{0,60}\n/i.test(text)) return undefined
  const answer = fitting(text)
  return answer.length < shortest ? undefined : { title, answer }
}

/** What a story is about, in words to ask for it with; undefined for "a story". */
export function topicOf({ title, answer }, draw) {
  const pair = /^The ([A-Z][a-z]+)(?: and (?:the|his|a|an|her) ([A-Z][a-z]+))?$/.exec(title)
  if (pair && draw.happens(0.4))
    return pair
      .slice(1)
      .filter(Boolean)
      .map((name) => `${draw.happens(0.5) ? 'the' : articleOf(name)} ${name.toLowerCase()}`)
      .join(' and ')
  const found = [title, answer.slice(0, 300)].flatMap((text) =>
    topics.filter((topic) => new RegExp(`\\b${topic}\\b`, 'i').test(text)),
  )[0]
  return found && `${articleOf(found)} ${found}`
}
/** The most passages about one thing. */
const mostOfOne = 80
/** A passage begins where someone could begin to tell; the next begins so many paragraphs later. */
const beginning = /^(An? |One (day|morning|evening|night)|Once|There (was|were|lived)|Long ago|In (a|an|the) |Many )/
const [apart, mostOfDocument] = [6, 2]

/** Whether a story begins as tales do. */
export const beginsAsTale = ({ answer }) => /^(Once|There (was|were|lived)|Long ago)/.test(answer)

/** Passages that name something in their first words and twice more: stories about it. */
export function storiesAbout(documents) {
  const stories = []
  const taken = new Map()
  for (const document of documents) {
    const paragraphs = document.split('\n').slice(1).join('\n').trim().split('\n\n')
    let ofDocument = 0
    for (let at = 0; at < paragraphs.length && ofDocument < mostOfDocument; at++) {
      const head = paragraphs[at].slice(0, 80)
      const answer = at === 0 || beginning.test(head) ? fitting(paragraphs.slice(at, at + 2 * apart).join('\n\n')) : ''
      const about = answer.length < shortest ? undefined : subjectOf(head, answer)
      if (!about || (taken.get(about) ?? 0) === mostOfOne) continue
      taken.set(about, (taken.get(about) ?? 0) + 1)
      stories.push({ answer, topic: `${articleOf(about)} ${about}` })
      ofDocument++
      at += apart
    }
  }
  return stories
}

/** What is introduced in a passage's head and is named most often in it, at least three times. */
function subjectOf(head, answer) {
  const named = (topic) => answer.match(new RegExp(`\\b${topic}\\b`, 'gi'))?.length ?? 0
  const introduced = topics.filter((topic) => new RegExp(`\\b(a|an|the)( \\w+)? ${topic}\\b`, 'i').test(head))
  const [most] = introduced.filter((topic) => named(topic) >= 3).sort((a, b) => named(b) - named(a))
  return most
}

const articleOf = (noun) => (/^[aeiou]/i.test(noun) ? 'an' : 'a')
