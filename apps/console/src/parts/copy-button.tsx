import { useEffect, useState } from 'react'
import { IconButton } from './icons.js'

/** Puts a text on the clipboard, and says so for a moment. */
export function CopyButton({ text, label }: { readonly text: string; readonly label: string }) {
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return
    const timer = setTimeout(() => setCopied(false), 1500)
    return () => clearTimeout(timer)
  }, [copied])
  const copy = () => void navigator.clipboard?.writeText(text).then(() => setCopied(true))
  return <IconButton icon={copied ? 'done' : 'copy'} label={copied ? 'Copied' : label} onClick={copy} />
}
