// Parameters that many layers have.

/** A size that must be given, or be told by the shape. */
export const size = (description: string) => ({ type: 'integer', description, required: true, minimum: 1 }) as const
/** Sizes for all dimensions at once, or one for each. */
export const sizes = (description: string, minimum: number) => ({ type: 'sizes', description, minimum }) as const
export const flag = (description: string, value: boolean) => ({ type: 'boolean', description, default: value }) as const
export const probability = (description: string, value: number) =>
  ({ type: 'number', description, default: value, minimum: 0, exclusiveMaximum: 1 }) as const
export const epsilon = (value: number) =>
  ({ type: 'number', description: 'keeps a division by zero away', default: value, minimum: 0 }) as const
export const seed = { type: 'integer', description: 'seed of the first weights' } as const

/** A sample whose last dimension has the size of a parameter. */
export const vectors = (name: string) => ['...', name] as const
