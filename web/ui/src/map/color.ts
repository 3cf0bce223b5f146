// Colors of points, as three bytes each.
import { HUES } from '../kinds/answer'
import { color, type Color } from '../mosaic/colors'

export type { Color }
export const hex = (text: string): Color => [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16)) as Color
export const css = (one: Color): string => `rgb(${one.join(' ')})`

/** OKLCH as sRGB (Ottosson 2020). */
function wheel(light: number, chroma: number, turn: number): Color {
  const a = chroma * Math.cos(turn), b = chroma * Math.sin(turn)
  const l = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3, m = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3
  const s = (light - 0.0894841775 * a - 1.291485548 * b) ** 3
  return [4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s, -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s].map((one) => {
    const at = Math.max(0, Math.min(1, one))
    return Math.round(255 * (at <= 0.0031308 ? 12.92 * at : 1.055 * at ** (1 / 2.4) - 0.055))
  }) as Color
}

/** A color for each of so many classes: few can be told apart, of many those with near numbers look alike. */
export function palette(count: number, dark: boolean): Color[] {
  if (count <= 10) return HUES[dark ? 'dark' : 'light'].slice(0, count).map(hex)
  return Array.from({ length: count }, (_, k) => wheel([0.58, 0.72, 0.48][k % 3]! + (dark ? 0.12 : 0), 0.14, (2 * Math.PI * k) / count))
}
export const GRAY = { light: [150, 158, 170], dark: [110, 120, 134] } as Record<string, Color>
export const RIGHT = { light: hex('#2f5f9f'), dark: hex('#8db5ea') }
export const WRONG = { light: hex('#d9480f'), dark: hex('#fb923c') }

/** A number on a ramp from `low` to `high`; around zero where some are negative. */
export const ramp = (value: number, low: number, high: number, dark: boolean): Color =>
  color(value, low < 0 && high > 0 ? { limit: Math.max(-low, high) } : { low, high }, dark)
