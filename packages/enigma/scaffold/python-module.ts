import type { ModuleInfo } from '@enigma/kernel'
import { commonFiles } from './common-files.js'
import type { ModuleFiles, NewModule, Told } from './example.js'
import { protocol } from './python-protocol.js'

// A module in Python: a process of its own that speaks MCP over its standard input and output. It needs no packages.

/** What a new module of one kind does in Python: its class, and what it passes to `serve`. */
interface PythonExample extends Told {
  readonly imports?: string
  readonly code: string
}

const service: PythonExample = {
  description: 'Greets people by name',
  schema: 'greeting: { type: string, default: Hello, description: What comes before the name }',
  code: `class Greeter:
    def __init__(self):
        self.greeted = 0

    def load(self, config):
        self.greeting = config["greeting"]

    def greet(self, name):
        self.greeted += 1
        return f"{self.greeting}, {name}!"

    def status(self):
        return f"{self.greeted} greeted"


# Each tool is a method of the module's interface: its description and its arguments, as JSON Schema.
TOOLS = {
    "greet": ("Greet somebody", {"name": {"type": "string"}}),
    "status": ("How it is doing", {}),
}

if __name__ == "__main__":
    serve(Greeter(), TOOLS)
`,
  given: '{}',
  use: `assert.equal(await api.greet({ name: 'Ada' }), 'Hello, Ada!')
  await assert.rejects(api.greet({}), /name/)`,
  status: '1 greeted',
}

const daemon: PythonExample = {
  description: 'Beats while it is active',
  schema: 'interval: { type: integer, minimum: 10, default: 1000, description: Milliseconds from one beat to the next }',
  imports: 'import threading\n\n',
  code: `class Heart:
    def __init__(self):
        self.beats = 0
        self.stopped = threading.Event()
        self.worker = None

    def load(self, config):
        self.seconds = config["interval"] / 1000

    def start(self):
        self.stopped.clear()
        self.worker = threading.Thread(target=self.work, daemon=True)
        self.worker.start()

    def stop(self):
        self.stopped.set()
        self.worker.join()

    def work(self):
        while not self.stopped.is_set():
            self.beats += 1
            self.stopped.wait(self.seconds)

    def status(self):
        return f"{self.beats} beats"


# Each tool is a method of the module's interface: its description and its arguments, as JSON Schema.
TOOLS = {"status": ("How it is doing", {})}

if __name__ == "__main__":
    serve(Heart(), TOOLS)
`,
  given: '{ interval: 600_000 }',
  use: `for (const end = Date.now() + 10_000; (await api.status()) === '0 beats' && Date.now() < end; );`,
  status: '1 beats',
}

const plugin: PythonExample = {
  description: 'Counts words',
  schema: 'letters: { type: integer, minimum: 1, default: 1, description: Letters that a word has at least }',
  imports: 'import re\n\n',
  code: `class WordCounter:
    def __init__(self):
        self.counted = 0

    def load(self, config):
        self.letters = config["letters"]

    def count(self, text):
        words = [word for word in re.findall(r"\\w+", text) if len(word) >= self.letters]
        self.counted += len(words)
        return {"words": len(words)}

    def status(self):
        return f"{self.counted} counted"


# Each tool is a method of the module's interface: its description and its arguments, as JSON Schema.
TOOLS = {
    "count": ("How many words a text has", {"text": {"type": "string"}}),
    "status": ("How it is doing", {}),
}

if __name__ == "__main__":
    serve(WordCounter(), TOOLS)
`,
  given: '{ letters: 3 }',
  use: `assert.deepEqual(await api.count({ text: 'to be or not' }), { words: 1 })`,
  status: '1 counted',
}

const examples: Readonly<Record<ModuleInfo['kind'], PythonExample>> = { service, daemon, plugin }

export function pythonModule({ id, kind }: Pick<NewModule, 'id' | 'kind'>): ModuleFiles {
  const example = examples[kind]
  return {
    ...commonFiles({ id, kind, example }, { entry: './main.py', runtime: 'process', command: './cli/status.js' }, [
      ['main.py', 'what it does; its tools are the methods of the interface. Python 3.8 or newer, no packages'],
      ['protocol.py', 'how it speaks to Enigma: the Model Context Protocol over standard input and output'],
      ['cli/status.js', 'the command `status`; commands are JavaScript and call the module'],
      ['tests/', 'the whole, by a real manager'],
    ]),
    'main.py': `"""${example.description}."""

${example.imports ?? ''}from protocol import serve


${example.code}`,
    'protocol.py': protocol,
    'cli/status.js': `export const statusCommand = {
  name: 'status',
  description: 'Show how it is doing',
  execute: async ({ getInterface }) => (await getInterface('${id}')).status(),
}
`,
  }
}
