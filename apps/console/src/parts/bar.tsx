interface Props {
  readonly label: string
  /** Where it begins and ends, 0 to 1. */
  readonly from?: number
  readonly to: number
  /** `warning` and `critical` are warned of. */
  readonly level?: string
}

/** A share of a whole. */
export const Bar = ({ label, from = 0, to, level = '' }: Props) => (
  <svg
    className={`bar ${level}`}
    viewBox="0 0 100 6"
    preserveAspectRatio="none"
    role="img"
    aria-label={`${label}: ${Math.round((to - from) * 100)} %`}
  >
    <rect x={from * 100} width={Math.max(0.5, (Math.min(1, to) - from) * 100)} height="6" rx="1" />
  </svg>
)
