// What the server makes of one frame: the units of a layer as bytes, the guesses, what one unit saw.
import { exchanged, got, type Guess } from '../api'
import type { Heatmap, Placement } from '../paint'
import { sampled, type Sampled } from '../sampling'
import { parsed, type Numbers } from '../wire'

export interface StageLayer {
  name: string; kind: string; units: number
  /** rows and columns; null where units have no places */
  places: [number, number] | null
  /** whether so much of the network comes after it that guesses are not worth making for every frame */
  early: boolean
  /** of units that are classes */
  names: string[] | null
}
export interface Stage { size: [number, number]; layers: StageLayer[]; backs: { name: string; title: string }[] }
export interface Back { bytes: Numbers; scale: number }
export interface Frame {
  layer: string; unit: number; guesses: Guess[] | null
  units: { bytes: Numbers; scales: Numbers; zero: number }
  pooled: number; placement: Placement | null
  back?: Back | null; refused?: string; ms: number
}
export interface Wish {
  net: string; layer: string; unit: number; back: string; source: string; number: number; mosaic: string; guesses: boolean
}

export const staged = (net: string): Promise<Stage> => got(`api/nets/${encodeURIComponent(net)}/stage`)

const client = Array.from(crypto.getRandomValues(new Uint8Array(8)), (one) => one.toString(16).padStart(2, '0')).join('')

export async function framed(shot: Blob, wish: Wish, stop: AbortSignal): Promise<Frame> {
  const query = new URLSearchParams({ client })
  for (const [key, value] of Object.entries(wish)) query.set(key, String(value))
  return parsed(await exchanged(`api/frame?${query}`, shot, stop)) as Frame
}

/** The numbers of one unit, (rows × columns). */
export function unitOf(frame: Frame, unit: number): { values: Float32Array; rows: number; columns: number; signed: boolean } {
  const { bytes, scales, zero } = frame.units
  const [, rows, columns] = bytes.shape as [number, number, number]
  const size = rows * columns, factor = scales.values[unit]! / (zero ? 127 : 255)
  const values = Float32Array.from(bytes.values.subarray(unit * size, (unit + 1) * size), (one) => (one - zero) * factor)
  return { values, rows, columns, signed: zero > 0 }
}

/** One unit at the pixels of the input, from between the centers of its cells. */
export function spread(frame: Frame, unit: number, size: [number, number], rows: number, columns: number): Sampled {
  const one = unitOf(frame, unit)
  const jump: [number, number] = [size[0] / one.rows, size[1] / one.columns]
  const placement = frame.placement ?? { start: [(jump[0] - 1) / 2, (jump[1] - 1) / 2], jump, grid: null }
  const box: [number, number, number, number] = [0, 0, size[0], size[1]]
  const heat: Heatmap = { values: { values: one.values, shape: [1, one.rows, one.columns] }, placement,
    views: [{ size, box, original: size }], unit: '', signed: one.signed, meta: null }
  return sampled(heat, box, rows, columns)
}
