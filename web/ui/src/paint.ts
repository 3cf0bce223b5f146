// Maps into colors, as `pellucid.draw.overlay` makes them, over a gray photo; `sampling.ts` reads them at its pixels.
import { diverging, sequential } from './luts'
import type { Sampled } from './sampling'
import type { Numbers } from './wire'

export interface Placement { start: [number, number]; jump: [number, number]; grid: [Numbers | number[], Numbers | number[]] | null }
export interface View { size: [number, number]; box: [number, number, number, number]; original: [number, number] }
export interface Heatmap { values: Numbers; placement: Placement; views: View[]; unit: string; signed: boolean; meta: any }
export type Show = 'signed' | 'positive' | 'negative' | 'magnitude'

/** The magnitude at which the colors end: a percentile, where single pixels would else decide. */
export function reach(values: ArrayLike<number>, percentile: number): number {
  const sizes = Array.from(values, Math.abs).filter(Number.isFinite).sort((a, b) => a - b)
  if (!sizes.length) return 0
  return sizes[Math.min(Math.floor((percentile / 100) * (sizes.length - 1)), sizes.length - 1)]! || sizes[sizes.length - 1]!
}

/** Colors over a gray photo; the more there is, the more it covers. Stripes where the map holds no number. */
export function painted(
  photo: ImageData, { values, seen, broken }: Sampled, limit: number, show: Show, opacity: number, dark: boolean,
): ImageData {
  const table = show === 'magnitude' ? sequential(dark) : diverging(dark)
  const [low, high] = dark ? [0.05, 0.75] : [0.16, 0.97]
  const found = new ImageData(photo.width, photo.height)
  for (let i = 0; i < values.length; i++) {
    const k = 4 * i, value = values[i]!
    const light = (0.2126 * photo.data[k]! + 0.7152 * photo.data[k + 1]! + 0.0722 * photo.data[k + 2]!) / 255
    const gray = 255 * (low + (high - low) * light)
    let at = limit && seen[i] ? Math.max(-1, Math.min(1, value / limit)) : 0
    if (show === 'magnitude') at = Math.abs(at)
    if ((show === 'positive' && at < 0) || (show === 'negative' && at > 0)) at = 0
    const cover = opacity * Math.abs(at) ** 0.75
    const row = 3 * Math.round((show === 'magnitude' ? at : (at + 1) / 2) * (table.length / 3 - 1))
    const stripe = broken[i] ? (((i % photo.width) + Math.floor(i / photo.width)) % 12 < 5 ? 64 : 204) : -1
    for (let c = 0; c < 3; c++) found.data[k + c] = stripe >= 0 ? stripe : gray * (1 - cover) + table[row + c]! * cover
    found.data[k + 3] = seen[i] ? 255 : 90
  }
  return found
}
