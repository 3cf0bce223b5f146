// What a person decides about labels: kept by the browser, and written as the file that `decide` and `retrained` read.

export type Word = 'accept' | 'reject' | 'relabel' | 'remove'
export interface Decision { word: Word; label: string }
export interface Doubted { image: string; given: string; suggestion: string }

/** The decision that a class means for an image; null where it is none of the classes. */
export function named(of: Doubted, label: string, classes: readonly string[]): Decision | null {
  if (label === of.given) return { word: 'reject', label }
  if (label === of.suggestion) return { word: 'accept', label }
  return classes.includes(label) ? { word: 'relabel', label } : null
}

/** What becomes of an image, in words. */
export const outcome = (one: Decision | undefined): string =>
  !one ? '' : one.word === 'remove' ? 'will be left out' : one.word === 'reject' ? `stays ${one.label}` : `becomes ${one.label}`

/** As it is, for names are matched when the file is read: nothing is put before what a spreadsheet takes for a formula. */
const cell = (text: string): string => (/[",\r\n]/.test(text) || text !== text.trim() ? `"${text.replaceAll('"', '""')}"` : text)

/** decisions.csv, in the order of the suspects. */
export function csv(all: readonly Doubted[], decided: Readonly<Record<string, Decision>>): string {
  const rows = all.flatMap((one) => { const found = decided[one.image]; return found ? [[one.image, one.given, found.word, found.label].map(cell).join(',')] : [] })
  return ['image,given,decision,label', ...rows, ''].join('\n')
}

/** Decisions that the browser kept under a key; none where it keeps nothing. */
export function kept(key: string): Record<string, Decision> {
  try { return JSON.parse(localStorage.getItem(key) ?? '{}') ?? {} } catch { return {} }
}

/** Keep them; false where the browser refuses. */
export function keep(key: string, decided: Readonly<Record<string, Decision>>): boolean {
  try { localStorage.setItem(key, JSON.stringify(decided)); return true } catch { return false }
}

/** Whether the browser keeps anything for this page. */
export function keeps(): boolean {
  try { localStorage.setItem('pellucid', ''); localStorage.removeItem('pellucid'); return true } catch { return false }
}
