/** What `getInterface('gui')` answers. */
export interface Gui {
  /** Where a browser finds the console. */
  readonly url: string
}
