import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { browserMissing, launch, openPage, picture } from '../browser.test.fixture.js'
import { startConsole } from '../gui.test.fixture.js'

// The shipped model answers in a real browser.
describe.skipIf(browserMissing)('the chat (Chromium)', () => {
  let server: Awaited<ReturnType<typeof startConsole>>
  let browser: Browser
  let page: Page
  let faults: readonly string[]
  beforeAll(async () => {
    server = await startConsole({}, ['inference'])
    browser = await launch()
    ;({ page, faults } = await openPage(browser, server.url))
  })
  afterAll(async () => {
    await browser?.close()
    await server?.[Symbol.asyncDispose]()
  })

  const button = (name: string) => page.getByRole('button', { name, exact: true })
  const answers = () => page.getByRole('article', { name: 'Answer', exact: true })
  const questions = () => page.getByRole('article', { name: 'You', exact: true })
  const textOf = (at: number) => answers().nth(at).locator('.prose').innerText()
  const written = () => page.getByRole('log').and(page.locator('[aria-busy="false"]')).waitFor()
  async function say(text: string) {
    await page.getByLabel('Message', { exact: true }).fill(text)
    await page.keyboard.press('Enter')
  }
  /** A setting of answers; the panel is closed again. */
  async function tune(label: string, value: string) {
    await button('Settings of answers').click()
    await page.getByLabel(label).fill(value)
    await button('Settings of answers').click()
  }

  const story = 'Tell me a story about a fox and a lantern.'
  /** A new chat with an answer that is being written, a long one with this seed. */
  async function begin() {
    await button('New chat').click()
    await tune('Seed', '7')
    await tune('Longest answer', '400')
    await say(story)
    await page.locator('.writing .prose').waitFor()
  }

  it('a first visitor gets a first answer by one click', async () => {
    await button('Hello!').click()
    await answers().getByText('tokens/s').waitFor()
    expect((await textOf(0)).length).toBeGreaterThan(10)
    expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe('Hello!')
  })

  it('an answer is stopped, and what has been written stays', async () => {
    await begin()
    await button('Stop').click()
    await answers().getByText('stopped').waitFor()
    expect((await textOf(0)).length).toBeGreaterThan(0)
  })

  it('an answer is given again, a message edited, and what came of it replaced', async () => {
    await tune('Longest answer', '24')
    await tune('Seed', '')
    const first = await textOf(0)
    await button('Answer again').click()
    await written()
    await expect.poll(() => textOf(0)).not.toBe(first)
    expect(await questions().count()).toBe(1)

    await questions().nth(0).getByRole('button', { name: 'Edit this message' }).click()
    await page.getByLabel('Your message').fill('Good morning!')
    await button('Send').first().click()
    await written()
    await answers().getByText('tokens/s').waitFor()
    expect([await questions().count(), await answers().count()]).toEqual([1, 1])
    expect(await questions().first().innerText()).toContain('Good morning!')
  })

  it('conversations outlive a reload, also one whose answer was being written', async () => {
    await begin()
    await page.reload()
    await answers().getByText('stopped').waitFor()
    expect(await questions().first().innerText()).toContain('fox')
    await button('New chat').click()
    expect(await questions().count()).toBe(0)
    await button('Good morning!').click()
    expect([await questions().count(), await answers().count()]).toEqual([1, 1])
  })

  it('marks become elements, and what a model may not show becomes text', async () => {
    const text = '**bold** <img src="https://evil.example/x.png"> [link](javascript:alert(1))\n\n```js\nconst a = 1 < 2\n```'
    const message = (role: string, content: string) => ({ id: role, role, content })
    const messages = [message('user', 'Marks'), message('assistant', text)]
    const kept = JSON.stringify({ id: 'm', title: 'Marks', updated: Date.now() + 1e6, messages })
    await page.evaluate(`localStorage.setItem('enigma.chat.m', ${JSON.stringify(kept)})`)
    await page.reload()
    const prose = answers().first().locator('.prose')
    expect(await prose.locator('strong').innerText()).toBe('bold')
    expect(await prose.locator('pre').innerText()).toBe('const a = 1 < 2')
    expect(await prose.locator('img, a').count()).toBe(0)
    expect(await prose.innerText()).toContain('<img src=')
    await page.getByRole('button', { name: 'Delete Marks' }).click({ force: true })
  })

  it('is light, dark, and fits a phone', async () => {
    await button('New chat').click()
    await tune('Seed', '7')
    await tune('Longest answer', '90')
    await say(story)
    await written()
    await answers().getByText('tokens/s').waitFor()
    await picture(page, 'console')
    await button('Dark colours').click()
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(19, 18, 24)')
    await picture(page, 'console-dark')
    await page.setViewportSize({ width: 390, height: 780 })
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390)
    await picture(page, 'console-phone')
    await button('Menu').click()
    await page.getByRole('navigation', { name: 'Pages' }).waitFor()
    await page.getByRole('button', { name: 'Close the menu' }).click({ position: { x: 380, y: 400 } })
    await page.setViewportSize({ width: 1100, height: 720 })
  })

  it('a server that has gone is told, and the question can be asked again', async () => {
    await page.route('**/v1/chat/completions', (route) => route.abort())
    await say('Still there?')
    await page.getByRole('alert').getByText('does not answer').waitFor()
    await page.unroute('**/v1/chat/completions')
    await button('Try again').click()
    await written()
    await answers().nth(1).getByText('tokens/s').waitFor()
  })

  it('nothing went wrong on the page, and nothing was asked of another host', () => {
    expect(faults.filter((fault) => !fault.includes('net::ERR_FAILED'))).toEqual([])
  })
})
