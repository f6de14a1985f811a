import { useState } from 'react'
import { ChatPage } from './chat/chat-page.js'
import { History } from './chat/history.js'
import { type ChatSettings, useChat } from './chat/use-chat.js'
import { EventsPage } from './events/events-page.js'
import { ModulesPage } from './modules/modules-page.js'
import { pages, usePage } from './pages.js'
import { Icon, IconButton } from './parts/icons.js'
import { useTheme } from './parts/theme.js'
import { useKept } from './parts/use-kept.js'

import { SystemPage } from './system/system-page.js'
import { TrainPage } from './train/train-page.js'
import { useTraining } from './train/use-training.js'

const noSettings: ChatSettings = { system: '', sampling: {} }

/** The frame around the pages: where one goes from each of them. */
export function App() {
  const page = usePage()
  const [theme, toggleTheme] = useTheme()
  const [settings, setSettings] = useKept('enigma.settings', noSettings)
  const chat = useChat(settings)
  const training = useTraining()
  const [menu, setMenu] = useState(false)
  const close = () => setMenu(false)
  const toChat = () => {
    location.hash = '#/chat'
    close()
  }
  return (
    <div className={`frame ${menu ? 'menu-open' : ''}`}>
      <a className="skip" href="#main">
        To the page
      </a>
      <div className="top-bar">
        <IconButton icon="menu" label="Menu" expanded={menu} onClick={() => setMenu(!menu)} />
        <strong>Enigma</strong>
        <IconButton
          icon="plus"
          label="New chat"
          onClick={() => {
            chat.create()
            toChat()
          }}
        />
      </div>
      <aside className="side">
        <div className="brand">
          <strong>Enigma</strong>
          <IconButton
            icon={theme === 'dark' ? 'sun' : 'moon'}
            label={theme === 'dark' ? 'Light colours' : 'Dark colours'}
            onClick={toggleTheme}
          />
        </div>
        <nav aria-label="Pages">
          {pages.map(({ id, title, icon }) => (
            <a key={id} href={`#/${id}`} onClick={close} {...(id === page && { 'aria-current': 'page' as const })}>
              <Icon name={icon} />
              {title}
            </a>
          ))}
        </nav>
        <button
          type="button"
          className="new-chat"
          onClick={() => {
            chat.create()
            toChat()
          }}
        >
          <Icon name="plus" /> New chat
        </button>
        <History chat={chat} onOpen={toChat} />
      </aside>
      <button type="button" className="curtain" aria-label="Close the menu" tabIndex={menu ? 0 : -1} onClick={close} />
      <main id="main" tabIndex={-1}>
        {page === 'chat' && <ChatPage chat={chat} settings={settings} onSettings={setSettings} />}
        {page === 'modules' && <ModulesPage />}
        {page === 'train' && <TrainPage training={training} theme={theme} />}
        {page === 'system' && <SystemPage />}
        {page === 'events' && <EventsPage />}
      </main>
    </div>
  )
}
