/** A model of the Hugging Face hub: whose it is and what it is called, and which state of it. */
export interface HubName {
  /** `owner/name`. */
  readonly repository: string
  /** A branch, a tag or a commit. */
  readonly revision: string
}

// As huggingface_hub's `validate_repo_id`: letters, digits, - _ . inside; no `--`, no `..`, no dash or dot at an end.
const part = /^(?![-.])(?!.*(--|\.\.))[\w.-]{1,96}(?<![-.])$/
const revisionPart = /^(?!\.\.?$)[\w.+-]+$/

/** `owner/name` or `owner/name@revision` in its parts (revision: `main` by default); undefined where it is neither. */
export function parseHubName(text: string): HubName | undefined {
  const [repository = '', revision = 'main', ...rest] = text.split('@')
  const parts = repository.split('/')
  const sound = parts.length === 2 && parts.every((name) => part.test(name)) && rest.length === 0
  return sound && revision.split('/').every((name) => revisionPart.test(name)) ? { repository, revision } : undefined
}
