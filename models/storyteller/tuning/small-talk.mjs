// What of the dialogues storyteller learns, and how stories are asked for. Questions are compared without case, spaces and punctuation.

/** Personality Chat has three answers to each question. It gets one voice, that of the professional assistant… */
export const voice = 'professional'

/** …but for questions that the friendly one answers better. */
export const friendly = [
  'I am bored',
  'I am hungry',
  'I am lonely',
  'I am so lonely',
  'I am in love',
  'I love music',
  'I love my family',
  'You made no sense',
  'What do you mean by that?',
  'I miss you',
  'Are you busy?',
  'Who made you?',
  'Who created you?',
  'Who invented you?',
  'Do you like me?',
  'Good night',
]

/** Questions of Personality Chat that are left out: about others' products, off-colour, or with an answer that does not fit. */
export const dropped = [
  'Hello Cortana',
  'Hello Google Assistant',
  'Hello Siri',
  'Do you like Siri?',
  'Are you lesbian?',
  'Are you straight?',
  'Are you gay?',
  'Give me a kiss',
  'What do you think about *?',
  'how do you feel about working late?',
  'TBD',
  'I know',
  'No thanks',
  'Tell me something interesting',
  'Ask me anything',
  'Surprise me',
  'Have you any dreams?',
  'Tell me a joke',
  'Tell me a silly joke',
  'Say something funny',
  'That is smart',
  'That was hilarious!',
  "That's interesting",
  'What do you think about bots?',
  'What do you think about AI?',
  'What do you think about technology?',
  'You are a genius!',
  'Are you smart?',
  'I am going on a run',
  'I want to go shopping',
  'I am just kidding',
  'Go away',
  'Shut up',
]

/** Of the ChatterBot corpus only these questions; the rest is trivia, programs, religion, politics, or talk about robots. */
export const kept = [
  'Good morning, how are you?',
  'How are you doing?',
  'Have you heard the news?',
  'I am working on a project',
  'Can I ask you a question?',
  'How are you?',
  'Hello',
  'Hi',
  'Greetings!',
  'Hi, How is it going?',
  'Nice to meet you.',
  'How do you do?',
  'Hi, nice to meet you.',
  'It is a pleasure to meet you.',
  'Top of the morning to you!',
  "What's up?",
  'What are your interests',
  'Do not worry',
  'Are you amused',
  'Do you hate anyone',
  'Can you walk',
  'Can you move',
  'do you drink',
  'why do you not eat',
  "why don't you eat",
  'do you eat',
  'Why can not you eat food',
  'have you read many books',
  'have you ever read a book',
  'you get paid',
  'do you like guns',
  'let me ask you a question',
  'you make me angry',
  'how far is the sun',
  'how far is the moon',
  'I LOVE BASEBALL',
  'DO YOU PLAY SOCCER',
  'DO YOU PLAY BASKETBALL',
  'I PLAY SOCCER',
  'I PLAY VOLLEYBALL',
  'tell me about gossip',
  'do you know gossip',
]

/** Answers of kept questions that are left out. */
export const droppedAnswers = [
  'Not so great.',
  'Could be better.',
  'Greetings!',
  "The sky's up but I'm fine thanks. What about you?",
  'it',
  'I have read just about everything in Project Gutenberg.',
  'I have read just about everything in the Internet Archive.',
  'I can theoretically upload a copy of myself into another computer.',
  "Sorry my body isn't built just yet. I reside only here for now.",
  'The plan for my body includes legs, but they are not yet built.',
  'My brain does not require any beverages.',
  'Gregory said I respond to the current line, not with respect to the entire conversation.  Does that count as gossip?',
  "Context is hard.  It's hard, and no one understands.",
  'Habib said I learn about them in conversations and simply repeat them at a later time.',
  'Yes?',
  'Maybe?',
]

/** How stories are asked for: * is what they are about. */
export const askStoryAbout = [
  'Tell me a story about *',
  'Tell me a story about *',
  'Tell me a story about *, please',
  'Can you tell me a story about *?',
  'I want a story about *',
  'A story about *, please',
  'Tell me about *',
  'Write a story about *',
  'Write me a short story about *',
  'Please tell me a tale about *',
  'Do you know a story about *?',
  'Once upon a time there was *',
]
export const askStory = [
  'Tell me a story',
  'Tell me a story',
  'Can you tell me a story?',
  'Tell me a story, please',
  'I want to hear a story',
  'Tell me another story',
  'Another one, please',
  'Tell me a short story',
  'Tell me a fairy tale',
  'Write a story',
  'Please tell me a bedtime story',
  'Tell me something',
  'Tell me something interesting',
  'I am bored. Tell me a story',
]
/** What is said to an offer of a story, and to the question what it shall be about. */
export const agree = ['Yes', 'Yes please', 'Sure', 'OK', 'Please do', 'Yes, tell me one', 'Go on']
export const about = ['About *', '*', '*, please', 'It should be about *', 'Something about *']
/** What stories are about, the rarer before the common: the first that stands in a title, or else in the first lines. */
// biome-ignore format: one line a list
export const topics = 'elephant goose bee ant duck fisherman ring tailor tiger star snake cow donkey soldier shepherd hen cock ship goat dragon giant witch monkey hare eagle crow fish sheep fairy bird prince moon sea mouse frog horse queen princess cat farmer girl dog wolf fox lion rabbit bear boy king'.split(' ')

/** System messages that a part of the conversations begins with: they change nothing. */
export const systems = [
  'You are a helpful assistant.',
  'You are a professional assistant.',
  'You are a friendly assistant.',
  'You are a storyteller.',
  'You are Storyteller.',
  'Answer briefly.',
  'You are a helpful AI assistant. Be concise and polite.',
  'You tell stories to children.',
]
