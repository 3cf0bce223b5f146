// Pictures of an audit, and what a person decides about them.
import type { Decision } from '../decisions'

export interface Seen { i: number; name: string; given: string; suggestion: string; part: string; id: string; decidable: boolean }
export interface Found {
  of_kind: string; title: string; said: string; advice: string; score: number; found: boolean; images: number[]; captions: string[]
  beside: number[]; beside_captions: string[]; beside_title: string; label: string; suggestion: string
}
export type Decided = Record<string, Decision>

/** What the images are called that the set was held against: their labels are another file's. */
const TEST = 'test set'
export const ofTest = (one: Seen): boolean => one.part === TEST

/** A picture: with a label, and not one that was made for the audit, it can be decided about. */
export function seen(result: any, i: number): Seen {
  const [name, given, part] = [result.names[i], result.given[i], result.sets[i]] as string[]
  return { i, name: name!, given: given!, suggestion: result.suggestions[i], part: part!, id: `${part === TEST ? 'test' : 'set'}/${name}`, decidable: part !== '' && given !== '' }
}

/** Decisions by the names of images, of the set or of what it was held against: a file each. */
export const named = (decided: Readonly<Decided>, test: boolean): Decided =>
  Object.fromEntries(Object.entries(decided).flatMap(([id, one]) => {
    const [part, name] = [id.slice(0, id.indexOf('/')), id.slice(id.indexOf('/') + 1)]
    return (part === 'test') === test ? [[name, one]] : []
  }))

/** Of copies those that are left out: all but the first, or those that are not of the test set. */
export function copies(item: Found, images: readonly Seen[]): { first: Seen | null; rest: Seen[] } | null {
  if (item.of_kind !== 'duplicates' && item.of_kind !== 'leaks') return null
  const some = images.filter((one) => one.decidable), own = some.filter((one) => !ofTest(one))
  if (item.of_kind === 'leaks' && own.length < images.length) return own.length ? { first: null, rest: own } : null
  return some.length > 1 ? { first: some[0]!, rest: some.slice(1) } : null
}
