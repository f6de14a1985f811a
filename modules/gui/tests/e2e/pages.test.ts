import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { browserMissing, launch, openPage, picture } from '../browser.test.fixture.js'
import { startConsole } from '../gui.test.fixture.js'

describe.skipIf(browserMissing)('the pages (Chromium)', () => {
  let server: Awaited<ReturnType<typeof startConsole>>
  let browser: Browser
  let page: Page
  let faults: readonly string[]
  beforeAll(async () => {
    server = await startConsole({}, ['inference', 'training'])
    browser = await launch()
    ;({ page, faults } = await openPage(browser, server.url))
  })
  afterAll(async () => {
    await browser?.close()
    await server?.[Symbol.asyncDispose]()
  })

  const go = (title: string) => page.getByRole('navigation').getByRole('link', { name: title }).click()
  const card = (name: string) => page.getByRole('article', { name, exact: true })
  const toggle = (name: string) => card(name).getByRole('switch')
  const isOn = (name: string) => toggle(name).and(page.locator('[aria-checked="true"]')).waitFor()
  const isOff = (name: string) => toggle(name).and(page.locator('[aria-checked="false"]')).waitFor()

  it('a module is switched on and off, and what happens elsewhere is seen at once', async () => {
    await go('Modules')
    await toggle('Heartbeat').click()
    await isOn('Heartbeat')
    expect(server.manager.getModule('heartbeat').state).toBe('active')
    await server.manager.unload('heartbeat')
    await isOff('Heartbeat')
    expect(await toggle('Web console').isDisabled()).toBe(true)
  })

  it('a refusal says why, and what would do instead is a button', async () => {
    await toggle('Tokenizer').click()
    await card('Tokenizer').getByRole('alert').getByText("required by 'inference'").waitFor()
    await picture(page, 'console-modules')
    expect(server.manager.getModule('tokenizer').state).toBe('active')
    await card('Tokenizer').getByRole('button', { name: 'Unload with inference' }).click()
    await isOff('Text generation')
    await isOff('Tokenizer')
    await toggle('Text generation').click()
    await isOn('Tokenizer')
    await isOn('Text generation')
  })

  it('settings come from the schema; a module that takes them only anew is loaded anew', async () => {
    const settings = card('Text generation').getByRole('button', { name: 'Settings' })
    await settings.click()
    const form = page.getByRole('form', { name: 'Settings of inference' })
    await form.getByLabel('maxTokens').fill('33')
    await form.getByLabel('device').selectOption('cpu')
    await form.getByRole('button', { name: 'Apply' }).click()
    await form.getByRole('alert').getByText('only when it is loaded').waitFor()
    await form.getByRole('button', { name: 'Load it anew' }).click()
    await form.waitFor({ state: 'detached' })
    expect(server.manager.getModule('inference').config).toMatchObject({ maxTokens: 33, device: 'cpu' })
    await settings.click()
    expect(await form.getByLabel('maxTokens').inputValue()).toBe('33')
    await form.getByRole('button', { name: 'Close' }).click()
  })

  it('search leaves the modules that have the words in them', async () => {
    await page.getByLabel('Search modules').fill('gguf llama')
    await card('Heartbeat').waitFor({ state: 'detached' })
    await card('Text generation (GGUF)').waitFor()
    await page.getByLabel('Search modules').fill('')
  })

  it('a training is started, watched and stopped', async () => {
    const data = join(server.home, 'hare.txt')
    await writeFile(data, 'Once upon a time there was a hare, and the tortoise said: hello! '.repeat(300))
    await go('Train')
    const form = page.getByRole('form', { name: 'A new training' })
    await form.getByLabel('Text').fill(data)
    await form.getByLabel('Folder for the model').fill(join(server.home, 'bard'))
    await form.getByLabel('Steps').fill('3000')
    await form.getByRole('button', { name: 'Start' }).click()
    const job = page.getByRole('article', { name: /^Training into/ })
    await job.getByText('tokens/s').waitFor()
    await job.locator('canvas').waitFor()
    await expect.poll(() => job.locator('.plot').getAttribute('aria-label')).toMatch(/^Loss over \d+ reports, last \d/)
    await job.getByRole('button', { name: 'Stop' }).click()
    await job.getByText('stopped', { exact: true }).waitFor()
  })

  it('a training that cannot begin says why', async () => {
    const form = page.getByRole('form', { name: 'A new training' })
    await form.getByLabel('Text').fill(join(server.home, 'nothing.txt'))
    await form.getByLabel('Folder for the model').fill(join(server.home, 'never'))
    await form.getByRole('button', { name: 'Start' }).click()
    await page
      .getByRole('article', { name: /never$/ })
      .getByText('nothing.txt')
      .waitFor()
  })

  it('the machine, its memory and the health of modules are shown', async () => {
    await go('System')
    await page.getByText(`${server.manager.hardwareProfile.cpuCores} cores`).waitFor()
    await page.getByRole('region', { name: 'Memory' }).getByText('inference').waitFor()
    await page.getByRole('region', { name: 'Health' }).getByText('storyteller is ready').waitFor()
    await picture(page, 'console-system')
  })

  it('events come as they happen, by their pattern', async () => {
    await go('Events')
    await server.manager.load('heartbeat')
    const list = page.getByRole('list', { name: 'Events, the latest first' })
    await list.getByText('module.loaded').first().waitFor()
    await list.getByText('heartbeat.beat').first().waitFor()
    await page.getByLabel('Pattern of names').fill('heartbeat.*')
    await list.getByText('module.loaded').first().waitFor({ state: 'detached' })
    expect(await list.getByText('heartbeat.beat').count()).toBeGreaterThan(0)
  })

  it('every page fits a phone', async () => {
    await page.setViewportSize({ width: 390, height: 780 })
    for (const id of ['chat', 'modules', 'train', 'system', 'events']) {
      await page.goto(`${server.url}/#/${id}`)
      await page.getByRole('heading', { level: 1 }).waitFor()
      expect([id, await page.evaluate('document.querySelector("main").scrollWidth')]).toEqual([id, 390])
    }
  })

  it('nothing went wrong on the pages, and nothing was asked of another host', () => expect(faults).toEqual([]))
})
