// What every renderer is given besides the numbers, and what they share.
import type { Numbers } from '../wire'

/** Where a result comes from: its key, and the ids of the pictures that were asked about. */
export interface Answer { key: string; images: string[] }

/** The numbers of an array, wherever they stand: in the file, or as a list. */
export const listed = (said: Numbers | (number | null)[] | null | undefined): number[] =>
  !said ? [] : Array.isArray(said) ? said.map((one) => one ?? NaN) : Array.from(said.values)

/** A part of an array: of (N, …) the i-th, as a view of the same numbers. */
export function part(said: Numbers, ...at: number[]): Numbers {
  const shape = said.shape.slice(at.length)
  const size = shape.reduce((a, b) => a * b, 1)
  let from = 0, left = said.values.length
  at.forEach((i, axis) => { left /= said.shape[axis]!; from += i * left })
  return { values: said.values.subarray(from, from + size), shape }
}

/** Pictures of an array (N, H, W, C), or of a list of arrays. */
export const several = (said: Numbers | Numbers[] | null | undefined): Numbers[] =>
  !said ? [] : Array.isArray(said) ? said : Array.from({ length: said.shape[0]! }, (_, i) => part(said, i))

/** 8-bit numbers (H, W, C) as a picture; of more than three channels the first three. */
export function image(said: Numbers): ImageData {
  const [height, width, channels = 1] = said.shape as [number, number, number?]
  const found = new ImageData(Math.max(width, 1), Math.max(height, 1))
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) found.data[4 * i + c] = said.values[i * channels + (channels >= 3 ? c : 0)]!
    found.data[4 * i + 3] = 255
  }
  return found
}

/** Pixels within a box (top, left, bottom, right); gray where it reaches outside. */
export function cropped(from: ImageData, box: readonly number[], outside = 127): ImageData {
  const [top, left, bottom, right] = box.map(Math.round) as [number, number, number, number]
  const found = new ImageData(Math.max(right - left, 1), Math.max(bottom - top, 1))
  for (let y = 0; y < found.height; y++)
    for (let x = 0; x < found.width; x++) {
      const k = 4 * (y * found.width + x), r = y + top, c = x + left
      const inside = r >= 0 && c >= 0 && r < from.height && c < from.width
      for (let j = 0; j < 3; j++) found.data[k + j] = inside ? from.data[4 * (r * from.width + c) + j]! : outside
      found.data[k + 3] = 255
    }
  return found
}

/** What a result is of, for those who do not see it: "Grad-CAM for giant panda on panda". */
export function subject(result: any): string {
  const meta = result.meta ?? {}
  const targets: string[] = meta.targets?.length ? meta.targets : meta.target ? [meta.target] : []
  const names: string[] = meta.images ?? []
  const some = (all: string[]) => (all.length > 5 ? `${all.slice(0, 5).join(', ')} and ${all.length - 5} more` : all.join(', '))
  return [meta.title || meta.method || result.kind, targets.length ? `for ${some([...new Set(targets)])}` : '', names.length ? `on ${some(names)}` : '']
    .filter(Boolean).join(' ')
}

/** Ten colors that people with any color vision tell apart, on light and on dark paper. */
export const HUES = {
  light: ['#2f5f9f', '#c2560c', '#138060', '#a8327d', '#7a5cc0', '#8a6a00', '#0c7f9a', '#b3263a', '#55606f', '#5d7d1e'],
  dark: ['#8db5ea', '#fb923c', '#4cc9a0', '#ee8fc9', '#b9a3f5', '#e4c34a', '#5fd0e6', '#f58a92', '#b4bdc9', '#b5d46a'],
}
export const hue = (k: number, dark: boolean): string => HUES[dark ? 'dark' : 'light'][k % 10]!

/** Round steps between two numbers, at most so many. */
export function ticks(low: number, high: number, most = 6): number[] {
  if (!(high > low)) return [low]
  const raw = (high - low) / most, power = 10 ** Math.floor(Math.log10(raw))
  const step = [1, 2, 2.5, 5, 10].map((one) => one * power).find((one) => one >= raw * 0.999)!
  const found = []
  for (let at = Math.ceil(low / step - 1e-9) * step; at <= high + step * 1e-6; at += step) found.push(Math.abs(at) < step * 1e-6 ? 0 : at)
  return found
}

/** The smallest and the largest finite number; 0 and 1 where there is none. */
export function ends(values: Iterable<number>): [number, number] {
  let low = Infinity, high = -Infinity
  for (const one of values) if (Number.isFinite(one)) { if (one < low) low = one; if (one > high) high = one }
  return low > high ? [0, 1] : [low, high]
}
