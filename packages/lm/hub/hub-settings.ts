import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where models are pulled from and kept. */
export interface HubSettings {
  /** Address of the hub, without a slash at the end. */
  readonly endpoint: string
  /** The folder of the Hugging Face cache. */
  readonly cache: string
  /** Sent to the hub, and to no other host. */
  readonly token?: string
  /** Nothing is asked of the network. */
  readonly offline: boolean
  /** A connection that brings nothing for so long is given up, in ms. */
  readonly idleTimeout: number
  /** Wait before the second attempt, in ms; it doubles with each further one. */
  readonly retryDelay: number
}

const isOn = (value = '') => ['1', 'ON', 'YES', 'TRUE'].includes(value.toUpperCase())

/** What Hugging Face's own programs read from the environment: HF_ENDPOINT, HF_HUB_CACHE, HF_HOME, HF_TOKEN, HF_HUB_OFFLINE. */
export function hubSettings(env: Readonly<Record<string, string | undefined>> = process.env): HubSettings {
  const home = env.HF_HOME || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'huggingface')
  return {
    endpoint: (env.HF_ENDPOINT || 'https://huggingface.co').replace(/\/+$/, ''),
    cache: env.HF_HUB_CACHE || join(home, 'hub'),
    ...(env.HF_TOKEN?.trim() && { token: env.HF_TOKEN.trim() }),
    offline: isOn(env.HF_HUB_OFFLINE),
    idleTimeout: 30_000,
    retryDelay: 500,
  }
}
