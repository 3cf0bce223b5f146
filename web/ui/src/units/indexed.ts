// What the server says of an index, of its units and of its images.
import { drawn, got } from '../api'
import { noted } from '../saved'

export interface Layer { name: string; units: number; places: [number, number]; embedded: boolean }
export interface Opened {
  name: string; identity: string; pictures: number; unreadable: number; layers: Layer[]; classes: number; kept: number
  sampled: number; size: [number, number]; missing: string; notes: string[]
  /** pixels of the small pictures that it keeps, whatever became of the images; 0: none */
  small: number
}
export type Box = [number, number, number, number]
/** An image of a unit: what its cell sees, in pixels of what the network saw. */
export interface Row { image: number; value: number; name: string | null; label: string | null; box: Box }
export interface Rows { rows: Row[]; size: [number, number]; missing: string; note: string }
export interface Numbers {
  layer: string; channel: number; channels: number; places: [number, number]; sees: [number, number] | null
  signed: boolean; best_class: string; silent: number; facts: Record<string, number | null>
}
export interface Like {
  rows: { layer: string; channel: number; correlation: number | null; shared: number; patch: Row | null }[]; missing: string
  about: Record<string, string>
}
export interface Feature { picture: string; size: [number, number]; notes: string[] }
export interface Classes { rows: { name: string; mean: number }[]; of: number }
export interface Shares { shares: number[]; ends: [number, number]; places: number }
export interface Columns {
  layer: string; of: number; found: number; start: number
  columns: Record<string, (number | string | null)[]>; about: Record<string, string>
}

const known = new Map<string, Promise<Opened>>()

/** What an index holds; asked once. */
export function opened(index: string): Promise<Opened> {
  const path = `api/indexes/${encodeURIComponent(index)}`
  noted(path)  // each page that shows it is saved with it
  if (!known.has(index)) {
    const asked = got<Opened>(path)
    known.set(index, asked)
    asked.catch(() => known.delete(index))
  }
  return known.get(index)!
}

export const unitPath = (index: string, layer: string, channel: number, part: string): string =>
  `api/indexes/${encodeURIComponent(index)}/units/${encodeURIComponent(layer)}/${channel}/${part}`

/** The address of an image as the network saw it, or of what of it lies in a box. */
export function picture(index: string, of: string, image: number, side: number, box?: Box): string {
  const part = box ? `&box=${box.map((edge) => Math.round(edge * 100) / 100).join(',')}` : ''
  return drawn(`api/indexes/${encodeURIComponent(index)}/pictures/${image}?side=${side}&of=${of}${part}`)
}

/** What an image is called, for those who do not see it. */
export const called = (row: { label: string | null; name: string | null; image: number }): string =>
  row.label ?? row.name?.split('/').pop() ?? `picture ${row.image}`

/** Whether a key that was pressed belongs to a field, or to another program. */
export const typing = (event: KeyboardEvent): boolean =>
  event.ctrlKey || event.metaKey || event.altKey || (event.target instanceof HTMLElement
    && (event.target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)))
