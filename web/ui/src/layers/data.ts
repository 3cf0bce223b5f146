// What the server says of layers: the table, the maps of units on a picture, and how one number is made.
import { bytes, got } from '../api'
import { parsed, type Numbers } from '../wire'

export interface Row {
  name: string; kind: string; shape: number[]; parameters: number; kernel: number[]; step: number[]
  /** null where it is not known which numbers are one unit's */
  units: number | null
  mapped: boolean; field: number[] | null; jump: number[] | null
  /** the share of its units that are zero everywhere on the picture */
  silent: number | null
}
export interface Table { rows: Row[]; size: [number, number]; unplaced: string[] }
export type Sort = 'number' | 'max' | 'mean' | 'silent'
export interface Place { start: number[]; jump: number[]; field: number[]; grid: number[][] | null }
export interface View { size: [number, number]; box: [number, number, number, number]; original: [number, number] }
export interface Maps {
  layer: string; kind: string; path: string
  /** the units of this page, in order */
  units: number[]
  start: number; count: number; of: number; order: Numbers
  /** of the units of this page, where they are classes */
  names: string[] | null
  /** units × rows × columns, of this page */
  maps: Numbers
  /** of every unit, by its number */
  max: Numbers; mean: Numbers; silent: Numbers
  low: number; high: number; blank: number; mapped: boolean; view: View; place: Place | null
}
export interface Term { value: number; reads: string | null; constant?: boolean }
export interface Step {
  kind: 'convolution' | 'linear' | 'norm' | 'activation' | 'pooling' | 'addition' | 'product' | 'join' | 'unknown'
  /** the network's own number after the step, the same computed again, and whether they are the same but for rounding */
  value: number; made: number | null; agrees: boolean | null
  layer: string
  /** which layer's numbers go in: '' is the picture, null has no name */
  reads?: string | null
  patch: Numbers; kernel: Numbers; inside: Numbers; channels: [number, number]; of: number
  rows: number[]; columns: number[]; sum: number; bias: number | null; stride: number[]; dilation: number[]; groups: number
  number: number; mean: number; variance: number; eps: number; scale: number; shift: number
  name: string; options: Record<string, number>
  how: 'max' | 'mean'; window: Numbers; divided: number
  terms: Term[]; factor: number; unit: number; parts: number; operation: string
}
export interface Made {
  layer: string; unit: number; row: number; column: number; value: number; steps: Step[]; why: string
  input: { mean: number[]; std: number[] }; size: [number, number]
}

const own = (net: string, layer: string) => `api/nets/${net}/layers/${encodeURIComponent(layer)}`
const read = async <T>(path: string, stop: AbortSignal): Promise<T> => parsed(await bytes(path, { signal: stop })).it as T

export const layerTable = (net: string, image: string, stop: AbortSignal): Promise<Table> =>
  got(`api/nets/${net}/layers?image=${encodeURIComponent(image)}`, { signal: stop })

export const layerMaps = (
  net: string, image: string, layer: string, sort: Sort, unit: number | null, start: number, stop: AbortSignal,
): Promise<Maps> =>
  read(`${own(net, layer)}/maps?${new URLSearchParams({ image, sort, ...(unit === null ? { start: String(start) } : { unit: String(unit) }) })}`, stop)

export const cellOf = (
  net: string, image: string, layer: string, unit: number, [row, column]: [number, number], stop: AbortSignal,
): Promise<Made> =>
  read(`api/nets/${net}/cell?${new URLSearchParams({ image, layer, unit: String(unit), row: String(row), column: String(column) })}`, stop)
