// Numbers as colors, a cell each and without a photo: of maps, of weights, of the units of a layer.
import { diverging, sequential } from '../luts'

/** Where colors end: at a magnitude on both sides of zero, wherever zero lies; or at a lowest number and a highest, in one hue. */
export type Ends = { limit: number; zero?: number } | { low: number; high: number }
export type Color = [number, number, number]

/** No number: a pale gray. */
const NONE = new Uint32Array(new Uint8Array([127, 127, 127, 60]).buffer)[0]!
/** Steps of a table whose weak colors are brought out: it needs more of them near zero. */
const FINE = 2046
const known = new Map<string, Uint32Array>()

/** Colors from the lowest to the highest, as they lie in memory. With `gamma` below 1 weak ones are brought out. */
function table(signed: boolean, gamma: number, dark: boolean): Uint32Array {
  const name = `${signed} ${gamma} ${dark}`
  let found = known.get(name)
  if (!found) {
    const rgb = signed ? diverging(dark) : sequential(dark), last = rgb.length / 3 - 1, steps = gamma === 1 ? last : FINE
    const bytes = new Uint8Array(4 * (steps + 1))
    for (let i = 0; i <= steps; i++) {
      const share = signed ? (2 * i) / steps - 1 : i / steps, bent = Math.sign(share) * Math.abs(share) ** gamma
      const row = 3 * Math.round((signed ? (bent + 1) / 2 : bent) * last)
      bytes.set([rgb[row]!, rgb[row + 1]!, rgb[row + 2]!, 255], 4 * i)
    }
    known.set(name, (found = new Uint32Array(bytes.buffer)))
  }
  return found
}

interface Scale { colors: Uint32Array; last: number; low: number; by: number; none: number }

function scale(ends: Ends, dark: boolean, gamma: number): Scale {
  const signed = 'limit' in ends, colors = table(signed, gamma, dark), last = colors.length - 1
  const [low, high] = signed ? [(ends.zero ?? 0) - ends.limit, (ends.zero ?? 0) + ends.limit] : [ends.low, ends.high]
  return { colors, last, low, by: high > low ? last / (high - low) : 0, none: signed ? last / 2 : 0 }
}

function shade(value: number, { colors, last, low, by, none }: Scale): number {
  if (!Number.isFinite(value)) return NONE
  const at = by ? Math.round((value - low) * by) : none
  return colors[at < 0 ? 0 : at > last ? last : at]!
}

/** `count` numbers from the `from`-th on as colors into as many pixels, from the `into`-th on. */
export function fill(
  pixels: Uint32Array, into: number, values: ArrayLike<number>, from: number, count: number, ends: Ends, dark: boolean, gamma = 1,
): void {
  const how = scale(ends, dark, gamma)
  for (let i = 0; i < count; i++) pixels[into + i] = shade(values[from + i]!, how)
}

/** A map as an image: of many, the one whose numbers begin at `from`. */
export function colored(values: ArrayLike<number>, rows: number, columns: number, ends: Ends, dark: boolean, from = 0, gamma = 1): ImageData {
  const found = new ImageData(Math.max(columns, 1), Math.max(rows, 1))
  fill(new Uint32Array(found.data.buffer), 0, values, from, rows * columns, ends, dark, gamma)
  return found
}

/** The color of one number. */
export function color(value: number, ends: Ends, dark: boolean): Color {
  const found = shade(value, scale(ends, dark, 1))
  return [found & 255, (found >> 8) & 255, (found >> 16) & 255]
}

/** Black or white, whichever is read better on a color. */
export function inked(on: Color): string {
  const [r, g, b] = on.map((one) => { const c = one / 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4 }) as Color
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.18 ? '#000' : '#fff'
}

/** The ends of some numbers: around zero where one is negative, or, with `signed`, one of others beside them. */
export function endsOf(values: ArrayLike<number>, from = 0, count = values.length, signed = false): Ends {
  let low = 0, high = 0
  for (let i = from; i < from + count; i++) {
    const value = values[i]!
    if (value < low) low = value
    if (value > high) high = value
  }
  return signed || low < 0 ? { limit: Math.max(-low, high) } : { low: 0, high }
}
