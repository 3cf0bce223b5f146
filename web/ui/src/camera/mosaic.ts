// All units of a layer as one picture: brightness, order and scale are decided here, without asking again.
import { fill } from '../mosaic/colors'
import type { Frame } from './frame'

/** Every unit in its own pixels, one under the other. `limit` is the magnitude at which colors end; null: each unit's largest. */
export function tiles(frame: Frame, limit: number | null, gamma: number, dark: boolean, signed: boolean): ImageData {
  const { bytes, scales, zero } = frame.units
  const [units, rows, columns] = bytes.shape as [number, number, number]
  const found = new ImageData(columns, rows * units), pixels = new Uint32Array(found.data.buffer), size = rows * columns
  const range = zero ? 127 : 255
  for (let u = 0; u < units; u++) {
    const most = limit === null ? range : (range * limit) / scales.values[u]!  // in bytes; endless where all are zero
    fill(pixels, u * size, bytes.values, u * size, size, signed ? { limit: most, zero } : { low: 0, high: most }, dark, gamma)
  }
  return found
}

/** The largest number of every unit. */
export function strongest(frame: Frame): Float32Array {
  const { bytes, scales, zero } = frame.units
  const size = bytes.shape[1]! * bytes.shape[2]!, range = zero ? 127 : 255
  return Float32Array.from(scales.values, (scale, unit) => {
    let most = 0
    for (let i = unit * size; i < (unit + 1) * size; i++) most = Math.max(most, bytes.values[i]!)
    return ((most - zero) * scale) / range
  })
}

/** The mean of every unit. */
function means(frame: Frame): Float32Array {
  const { bytes, scales, zero } = frame.units
  const size = bytes.shape[1]! * bytes.shape[2]!
  return Float32Array.from(scales.values, (scale, unit) => {
    let sum = 0
    for (let i = unit * size; i < (unit + 1) * size; i++) sum += bytes.values[i]! - zero
    return sum * scale
  })
}

/** The magnitude at which colors end: what a quarter of the units reach, for a few strong ones would darken all others. */
export function reached(frame: Frame): number {
  const sizes = Float32Array.from(frame.units.scales.values).sort(), places = frame.units.bytes.shape[1]! > 1
  return sizes[Math.floor((places ? 0.75 : 1) * (sizes.length - 1))] || sizes[sizes.length - 1] || 0
}

export type Order = 'number' | 'strength' | 'mean'

/** The units in the order in which they are shown; of equally strong ones the larger mean comes first. */
export function ordered(frame: Frame, order: Order): number[] {
  const all = Array.from({ length: frame.units.bytes.shape[0]! }, (_, i) => i)
  if (order === 'number') return all
  const mean = means(frame), first = order === 'mean' ? mean : strongest(frame)
  return all.sort((a, b) => first[b]! - first[a]! || mean[b]! - mean[a]!)
}
