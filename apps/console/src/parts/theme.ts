import { useEffect, useState } from 'react'
import { useKept } from './use-kept.js'

type Theme = 'light' | 'dark'

const systemIsDark = matchMedia('(prefers-color-scheme: dark)')

/** The colours: those of the system until others are chosen. */
export function useTheme(): readonly [Theme, () => void] {
  const [chosen, setChosen] = useKept<Theme | 'system'>('enigma.theme', 'system')
  const [dark, setDark] = useState(systemIsDark.matches)
  useEffect(() => {
    const follow = () => setDark(systemIsDark.matches)
    systemIsDark.addEventListener('change', follow)
    return () => systemIsDark.removeEventListener('change', follow)
  }, [])
  const theme = chosen === 'system' ? (dark ? 'dark' : 'light') : chosen
  useEffect(() => {
    document.documentElement.dataset.theme = theme
  }, [theme])
  return [theme, () => setChosen(theme === 'dark' ? 'light' : 'dark')]
}
