// A back-projection as a picture: in colors around gray, in gray, as a magnitude, or as a blurred one.
import { colored } from '../mosaic/colors'
import type { Back } from './frame'

export type Look = 'raw' | 'gray' | 'norm' | 'blur'
export const LOOKS: [Look, string][] = [
  ['raw', 'in colors'], ['gray', 'in gray'], ['norm', 'its size'], ['blur', 'its size, blurred'],
]

/** What a byte says, as a share of the largest magnitude: bytes hold the root. */
const SHARE = Float32Array.from({ length: 256 }, (_, one) => { const root = (one - 128) / 127; return root * Math.abs(root) })

/** The magnitude that so many of the numbers reach at most. */
function percentile(bytes: ArrayLike<number>, part: number): number {
  const counts = new Uint32Array(129)
  for (let i = 0; i < bytes.length; i++) counts[Math.abs(bytes[i]! - 128)]!++
  let left = bytes.length * (1 - part), k = 128
  while (k > 1 && (left -= counts[k]!) > 0) k--
  return SHARE[Math.min(128 + k, 255)]!
}

/** The mean over a square around each pixel, twice: nearly a Gaussian. */
function blurred(values: Float32Array, rows: number, columns: number, reach: number): Float32Array {
  let from: Float32Array = values
  for (let pass = 0; pass < 2; pass++)
    for (const [count, along, lines, step] of [[columns, 1, rows, columns], [rows, columns, columns, 1]] as const) {
      const into = new Float32Array(from.length)
      for (let line = 0; line < lines; line++) {
        let sum = 0
        for (let i = -reach; i < count; i++) {
          if (i + reach < count) sum += from[line * step + (i + reach) * along]!
          if (i - reach - 1 >= 0) sum -= from[line * step + (i - reach - 1) * along]!
          if (i >= 0) into[line * step + i * along] = sum / (Math.min(i + reach, count - 1) - Math.max(i - reach, 0) + 1)
        }
      }
      from = into
    }
  return from
}

export function backed(back: Back, look: Look, gamma: number, dark: boolean): ImageData {
  const [channels, rows, columns] = back.bytes.shape as [number, number, number]
  const bytes = back.bytes.values, size = rows * columns
  if (look === 'norm' || look === 'blur') {
    let sizes: Float32Array = new Float32Array(size)
    for (let c = 0; c < channels; c++) for (let i = 0; i < size; i++) sizes[i]! += SHARE[bytes[c * size + i]!]! ** 2
    for (let i = 0; i < size; i++) sizes[i] = Math.sqrt(sizes[i]!)
    if (look === 'blur') sizes = blurred(sizes, rows, columns, Math.max(Math.round(rows / 45), 1))
    const largest = Float32Array.from(sizes).sort()[Math.floor((look === 'blur' ? 1 : 0.995) * (size - 1))] || 1e-12
    return colored(sizes, rows, columns, { low: 0, high: largest }, dark, 0, gamma)
  }
  const found = new ImageData(columns, rows), out = found.data
  // single pixels would else decide how dark all others are: colors end at 99 % of the magnitudes
  const limit = percentile(bytes, 0.99) || 1
  const tone = (share: number) => 128 + 127 * Math.sign(share) * Math.min(Math.abs(share) / limit, 1) ** gamma
  const tones = SHARE.map(tone), gray = look === 'gray' || channels === 1
  for (let i = 0; i < size; i++) {
    const k = 4 * i
    if (gray) {
      let sum = 0
      for (let c = 0; c < channels; c++) sum += SHARE[bytes[c * size + i]!]!
      out[k] = out[k + 1] = out[k + 2] = tone(sum / channels)
    } else for (let c = 0; c < 3; c++) out[k + c] = tones[bytes[c * size + i]!]!
    out[k + 3] = 255
  }
  return found
}
