/** Strokes on a field of 24 × 24. */
const strokes = {
  chat: 'M4 5h16v11H9l-5 4z',
  modules: 'M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM16.5 13v7M13 16.5h7',
  system: 'M4 5h16v10H4zM9 20h6M12 15v5',
  train: 'M4 4v16h16M7 9c3 0 3 7 6 7s3-1 6-1',
  events: 'M4 6h16M4 12h10M4 18h13',
  plus: 'M12 5v14M5 12h14',
  send: 'M12 20V5M6 11l6-6 6 6',
  stop: 'M7 7h10v10H7z',
  again: 'M19 12a7 7 0 1 1-2-5l2 2M19 4v5h-5',
  edit: 'M5 19l1-4L16 5l3 3L9 18zM14 7l3 3',
  copy: 'M9 9h10v10H9zM5 15V5h10',
  done: 'M5 13l4 4L19 7',
  remove: 'M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13',
  tune: 'M4 7h10M18 7h2M16 5v4M4 17h2M10 17h10M8 15v4',
  menu: 'M4 6h16M4 12h16M4 18h16',
  close: 'M6 6l12 12M18 6L6 18',
  sun: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M12 2v3M12 19v3M2 12h3M19 12h3M5 5l2 2M17 17l2 2M19 5l-2 2M7 17l-2 2',
  moon: 'M20 14A8 8 0 0 1 10 4a8 8 0 1 0 10 10z',
} as const

export type IconName = keyof typeof strokes

/** A picture beside a label; screen readers pass it over. */
export const Icon = ({ name }: { readonly name: IconName }) => (
  <svg className="icon" viewBox="0 0 24 24" aria-hidden="true">
    <path d={strokes[name]} />
  </svg>
)

interface IconButtonProps {
  readonly icon: IconName
  readonly label: string
  readonly onClick: () => void
  readonly className?: string
  readonly expanded?: boolean
}

/** A button that shows a picture only; its label is read out, and shown by a pointer that rests. */
export const IconButton = ({ icon, label, onClick, className = '', expanded }: IconButtonProps) => (
  <button
    type="button"
    className={`icon-button ${className}`}
    aria-label={label}
    title={label}
    onClick={onClick}
    {...(expanded !== undefined && { 'aria-expanded': expanded })}
  >
    <Icon name={icon} />
  </button>
)
