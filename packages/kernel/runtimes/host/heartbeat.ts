/** How often a side is asked within the limit. */
const asked = 4

/**
 * Asks the other side whether it lives, and calls `dead` when it has not answered for `limit` milliseconds.
 * Questions are counted, not time: a host that was itself busy or asleep has asked nothing meanwhile.
 */
export function heartbeat(limit: number, ping: () => Promise<unknown>, dead: () => void): () => void {
  let unanswered = 0
  let waiting = false
  const timer = setInterval(() => {
    if (waiting && ++unanswered >= asked) {
      clearInterval(timer)
      dead()
      return
    }
    if (waiting) return
    waiting = true
    const answered = () => {
      waiting = false
      unanswered = 0
    }
    ping().then(answered, () => undefined)
  }, limit / asked)
  timer.unref()
  return () => clearInterval(timer)
}
