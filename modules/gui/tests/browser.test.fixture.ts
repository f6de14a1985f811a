import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'

const executable = process.env.CHROMIUM ?? '/usr/bin/chromium'

/** Whether there is no browser here. @throws Error where tests must not be skipped */
export const browserMissing = !existsSync(executable)
if (browserMissing && process.env.ENIGMA_FORBID_SKIPS)
  throw new Error(`No browser at ${executable}: install Debian's chromium, or name one in CHROMIUM.`)

export const launch = (): Promise<Browser> => chromium.launch({ executablePath: executable, args: ['--no-sandbox'] })

/** A page, and what went wrong on it: errors, refused scripts, requests to other hosts. */
export async function openPage(
  browser: Browser,
  url: string,
): Promise<{ readonly page: Page; readonly faults: readonly string[] }> {
  const page = await browser.newPage({ viewport: { width: 1100, height: 720 }, colorScheme: 'light', reducedMotion: 'reduce' })
  const faults: string[] = []
  page.on('pageerror', ({ message }) => faults.push(message))
  page.on('console', (line) => {
    if (line.type() === 'error' && !/status of (409|503)/.test(line.text())) faults.push(line.text())
  })
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== url) faults.push(`a request to ${request.url()}`)
  })
  await page.goto(url)
  return { page, faults }
}

/** Kept as a picture of the docs where `ENIGMA_PICTURES` is set. */
export async function picture(page: Page, name: string): Promise<void> {
  const path = fileURLToPath(new URL(`../../../../docs/images/${name}.png`, import.meta.url))
  await page.screenshot(process.env.ENIGMA_PICTURES ? { path } : {})
}
