/** The work: a layered graph of modules, and the probe that counts what is done with them. */

/** A generator of numbers in [0, 1), the same for the same seed (mulberry32). */
function randomNumbers(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function shuffle(list, random) {
  for (let i = list.length - 1; i > 0; i--) {
    const other = Math.floor(random() * (i + 1))
    ;[list[i], list[other]] = [list[other], list[i]]
  }
  return list
}

/**
 * `layers` layers of equal width; each module needs three of the layer below.
 * @returns `{ nodes, declared, edges, width }`: `nodes` in a topological order, `declared` the same shuffled
 */
export function makeGraph({ modules, layers = 10, needs = 3, seed = 1 }) {
  const random = randomNumbers(seed)
  const width = modules / layers
  const nodes = []
  for (let index = 0; index < modules; index++) {
    const layer = Math.floor(index / width)
    const below = new Set()
    while (layer > 0 && below.size < needs) below.add((layer - 1) * width + Math.floor(random() * width))
    nodes.push({ index, layer, name: `m${index}`, needs: [...below] })
  }
  const edges = nodes.reduce((sum, node) => sum + node.needs.length, 0)
  return { nodes, edges, width, declared: shuffle([...nodes], random) }
}

/**
 * What every subject's bodies do, so that all do the same. `start` takes the services of the node's three providers, calls
 * one, and gives the node's own; the moments are kept, and the counters are made of them afterwards.
 */
export class Probe {
  #graph
  #clock = 0
  #wrong = 0

  constructor(graph) {
    const none = () => new Int32Array(graph.nodes.length)
    this.#graph = graph
    this.begun = none()
    this.started = none()
    this.stopping = none()
    this.stopped = none()
  }

  begin({ index }) {
    this.begun[index] = ++this.#clock
  }

  /** The node's service. `services` are those of `node.needs`, in that order. */
  end({ index, needs }, services) {
    if (services.length !== needs.length || (needs.length > 0 && services[0].ask() !== needs[0])) this.#wrong++
    this.started[index] = ++this.#clock
    return { ask: () => index }
  }

  stopBegin({ index }) {
    this.stopping[index] = ++this.#clock
  }

  stopEnd({ index }) {
    this.stopped[index] = ++this.#clock
  }

  /** Counts of modules and of edges (a module and what it needs) whose order was wrong. */
  counters() {
    const { nodes } = this.#graph
    const count = (moments) => moments.reduce((sum, moment) => sum + (moment > 0 ? 1 : 0), 0)
    const violations = (before, after) =>
      nodes.reduce((sum, { index, needs }) => sum + needs.filter((need) => before(index, need) > after(index, need)).length, 0)
    return {
      started: count(this.started),
      stopped: count(this.stopped),
      wrongServices: this.#wrong,
      startViolations: violations(
        (_, need) => this.started[need],
        (index) => this.begun[index],
      ),
      stopViolations: violations(
        (index) => this.stopped[index],
        (_, need) => this.stopping[need],
      ),
    }
  }
}
