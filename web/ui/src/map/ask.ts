// What a map asks of the server; of a page that was saved, what it kept.
import { blob, bytes, got, posted, sending } from '../api'
import { below, blobOf, forgotten, keyOf, noted, saved } from '../saved'
import { parsed } from '../wire'
import type { Sent } from './data'
import { ACROSS, SIDE } from './painter'

const base = (index: string) => `api/indexes/${encodeURIComponent(index)}`

/** Bytes of the maps that are kept with the page: of those that were looked at last. */
const MOST = 6e6
let looked: { key: string; size: number }[] = []

/** Where the images lie. */
export async function mapOf(index: string, said: unknown, signal: AbortSignal): Promise<Sent> {
  const path = `${base(index)}/map`, how = sending(said, { signal }), key = keyOf(path, how), raw = await bytes(path, how)
  looked = [{ key, size: raw.byteLength }, ...looked.filter((one) => one.key !== key)]
  let size = 0
  for (const one of looked) if ((size += one.size) > MOST && one.key !== key) forgotten(one.key)
  return parsed(raw) as Sent
}

/** The maps that were kept, with what was asked. */
export const keptMaps = (index: string): { asked: { layer?: string | null; layout?: string }; sent: Sent }[] =>
  below(`${base(index)}/map `).map(([body, kept]) => ({ asked: JSON.parse(body), sent: parsed(bytesOf(kept.bytes ?? '')) as Sent }))
const bytesOf = (text: string): ArrayBuffer => Uint8Array.from(atob(text), (one) => one.charCodeAt(0)).buffer

/** What the points of a kept map can be colored by, besides their class: `prediction`, `blocks.4:17`. */
export const keptColors = (index: string): string[] => below(`${base(index)}/colors/`).map(([rest]) => {
  const [layer = '', channel] = rest.split('/').map(decodeURIComponent)
  return channel === undefined ? layer : `${layer}:${channel}`
})

const thumbs = (index: string, ids: number[]) => [`${base(index)}/thumbs`, sending({ ids, side: SIDE })] as const

/** Small pictures, twenty in a row, in the order of the ids. They are kept with the page until they are `unseen`. */
export const thumbsOf = (index: string, ids: number[]): Promise<Blob> => blob(...thumbs(index, ids))
export const unseen = (index: string, ids: number[]): void => forgotten(keyOf(...thumbs(index, ids)))

export class Kept {
  readonly sheets: { ids: number[]; sheet: () => Blob }[]
  /** the sheet and the spot on it of an image */
  readonly spots = new Map<number, [sheet: number, spot: number]>()
  constructor(index: string) {
    this.sheets = below(`${base(index)}/thumbs `).map(([body, kept]) => ({ ids: JSON.parse(body).ids as number[], sheet: () => blobOf(kept) }))
    this.sheets.forEach(({ ids }, sheet) => ids.forEach((id, spot) => this.spots.set(id, [sheet, spot])))
  }
  /** The small picture of an image as an address; empty where it was not kept. */
  async address(image: number): Promise<string> {
    const [sheet, spot] = this.spots.get(image) ?? [-1, 0]
    if (sheet < 0) return ''
    const whole = await createImageBitmap(this.sheets[sheet]!.sheet(), SIDE * (spot % ACROSS), SIDE * Math.floor(spot / ACROSS), SIDE, SIDE)
    const canvas = document.createElement('canvas')
    canvas.width = canvas.height = SIDE
    canvas.getContext('2d')!.drawImage(whole, 0, 0)
    whole.close()
    return canvas.toDataURL()
  }
}
const known = new Map<string, Kept>()
/** The small pictures of a page that was saved; null while the explorer runs and has them all. */
export function keptThumbs(index: string): Kept | null {
  if (!saved) return null
  if (!known.has(index)) known.set(index, new Kept(index))
  return known.get(index)!
}

/** A selection as it is kept: `name` is empty where it has none. */
export interface Keep { set: string; name: string }
/** One that a link names; a page that was saved may know no more of it than its images. */
export interface Recalled extends Keep { ids: number[] }
/** All that the server says of one: its most frequent classes of how many, and its first images. */
export interface Chosen extends Recalled {
  count: number; of: number; missing: string; classes: { name: string; count: number }[]
  first: { image: number; name: string | null; label: string | null }[]
}
export interface Named extends Keep { count: number }
export interface Mean { picture: string; images: number; of: number }

const sets = (index: string, set = '', rest = '') => `${base(index)}/sets${set && `/${encodeURIComponent(set)}`}${rest}`
/** What is asked for is kept with the page only as long as it is what is selected. */
let last: string[] = []
function latest(index: string, set: string) {
  last.forEach(forgotten)
  last = [sets(index, set), sets(index, set, '/mean')]
}

/** Images up to which a selection stands in the address of a page that was saved. */
const WRITTEN = 100
/** Keeps a set of images under an id that a link can name. */
export async function keep(index: string, ids: number[]): Promise<Keep> {
  if (saved) return { set: ids.length <= WRITTEN ? ids.join('.') : '', name: '' }
  const said = await posted<Keep>(sets(index), { ids })
  forgotten(keyOf(sets(index), sending({ ids })))
  latest(index, said.set)
  noted(sets(index, said.set))
  return said
}
/** A set that was kept, with its images. */
export async function kept(index: string, set: string): Promise<Recalled> {
  if (saved && !below(sets(index, set)).length && /^\d+(\.\d+)*$/.test(set)) return { set, name: '', ids: set.split('.').map(Number) }
  latest(index, set)
  return got<Chosen>(sets(index, set))
}
/** All that is known of it, without a map. */
export const described = (index: string, set: string): Promise<Chosen> => got(sets(index, set))

/** The mean of the pictures of a set; null on a page that was saved without it. */
export const meanOf = async (index: string, set: string, signal: AbortSignal): Promise<Mean | null> =>
  saved && !below(sets(index, set, '/mean')).length ? null : got<Mean>(sets(index, set, '/mean'), { signal })

/** The sets that have names. A page that is saved is not told them. */
export async function named(index: string): Promise<Named[]> {
  if (saved) return []
  const found = await got<{ sets: Named[] }>(sets(index))
  forgotten(sets(index))
  return found.sets
}
/** Names a set; an empty name takes it away. */
export async function nameOf(index: string, set: string, name: string): Promise<string> {
  const path = sets(index, set, '/name'), said = await posted<Keep>(path, { name })
  forgotten(keyOf(path, sending({ name })))
  return said.name
}
