// Pictures of building blocks: the photo where a block is, and all blocks in their colors; as `pellucid.draw.lit` makes them.
import { painted, reach, type Placement } from '../../paint'
import { centers, sampled, type Sampled } from '../../sampling'
import type { Numbers } from '../../wire'
import { listed, part } from '../answer'

/** In the order of the page: of one image the blocks of a layer. */
export interface Layer {
  name: string; rows: number; columns: number; units: number | null; shares: number[]; residual: number; total: number; error: number
  empty: number | null; names: string[]; channels: number[][]; agreement: number[] | null; activations: number[] | null
  /** of each block of the next layer, and of what is left over there, what comes through each one here */
  links: number[][] | null
  cell: [number, number] | null; placement: Placement; values: any; pictures: any; patches: any
}

export function layerOf(one: any, i: number): Layer {
  const [, count, rows, columns] = one.values.shape as [number, number, number, number]
  const shares = listed(part(one.shares, i)), residual = listed(one.residual)[i]!, wide = one.units.shape[2] as number, all = listed(part(one.units, i))
  const links = one.links ? part(one.links, i) : null
  return {
    name: one.layer, rows, columns, units: one.directions ? one.directions.shape[2] : null, shares, residual, total: shares.reduce((a, b) => a + b, residual),
    error: listed(one.error)[i]!, empty: one.empty ? listed(one.empty)[i]! : null, names: one.names,
    channels: Array.from({ length: count }, (_, k) => all.slice(k * wide, (k + 1) * wide)),
    agreement: one.agreement ? listed(part(one.agreement, i)) : null, activations: one.activations ? listed(part(one.activations, i)) : null,
    links: links ? Array.from({ length: links.shape[0]! }, (_, j) => listed(part(links, j))) : null,
    cell: one.cells ? (listed(part(one.cells, i)) as [number, number]) : null, placement: one.placement,
    values: part(one.values, i), pictures: one.pictures ? part(one.pictures, i) : null, patches: one.patches ? part(one.patches, i) : null,
  }
}

/** A map (rows, columns) at every pixel of the photo, which is what the network saw. */
function spread(values: Numbers, placement: Placement, { height, width }: { height: number; width: number }): Sampled {
  const box: [number, number, number, number] = [0, 0, height, width], size: [number, number] = [height, width]
  return sampled({ values: { values: values.values, shape: [1, ...values.shape] }, placement, views: [{ size, box, original: size }], unit: '', signed: true, meta: {} }, box, height, width, 'cubic')
}

/** The photo under the colors of a map, on a scale of its own. */
export function heated(photo: ImageData, values: Numbers, placement: Placement, signed: boolean, dark: boolean): ImageData {
  return painted(photo, spread(values, placement, photo), reach(values.values, 100), signed ? 'signed' : 'magnitude', 0.85, dark)
}

/** What lies in maps, one for each block, and where their cells do. */
type Mapped = Pick<Layer, 'values' | 'placement'>

/** How strongly a block is present at every pixel, 0 to 1. */
function strength({ values: all, placement }: Mapped, k: number, photo: ImageData): Float64Array {
  const own = part(all, k), values = Float32Array.from(own.values as Float32Array, Math.abs)
  const most = values.reduce((a, b) => (b > a ? b : a), 0)
  return spread({ values, shape: own.shape }, placement, photo).values.map((one) => (most ? Math.min(Math.max(one / most, 0), 1) : 0))
}

const gray = (photo: ImageData, at: number, dark: boolean): number => {
  const light = (0.2126 * photo.data[at]! + 0.7152 * photo.data[at + 1]! + 0.0722 * photo.data[at + 2]!) / 255
  const [low, high] = dark ? [0.05, 0.75] : [0.16, 0.97]
  return 255 * (low + (high - low) * light)
}

/** Of the light where a block is not. */
const DARK = 0.36

/** The photo where the block is; elsewhere dark and gray, as no photo is. */
export function lit(photo: ImageData, layer: Mapped, k: number, dark: boolean): ImageData {
  const there = strength(layer, k, photo), found = new ImageData(photo.width, photo.height)
  for (let i = 0; i < there.length; i++) {
    const light = there[i]! ** 0.8, ground = gray(photo, 4 * i, dark) * DARK * (1 - light)
    for (let c = 0; c < 3; c++) found.data[4 * i + c] = photo.data[4 * i + c]! * light + ground
    found.data[4 * i + 3] = 255
  }
  return found
}

/** The photo in gray under the colors of its blocks, each as strong as the block is there; the strongest wins. */
export function colored(photo: ImageData, layer: Layer, colors: string[], dark: boolean): ImageData {
  const each = colors.map((_, k) => strength(layer, k, photo)), found = new ImageData(photo.width, photo.height)
  const paints = colors.map((one) => [1, 3, 5].map((at) => parseInt(one.slice(at, at + 2), 16)))
  for (let i = 0; i < photo.width * photo.height; i++) {
    let sum = 0, most = 0
    for (const one of each) { sum += one[i]! ** 3; most = Math.max(most, one[i]!) }
    const shown = gray(photo, 4 * i, dark), cover = 0.75 * most ** 0.8
    for (let c = 0; c < 3; c++) {
      let paint = 0
      for (let k = 0; k < each.length; k++) paint += (each[k]![i]! ** 3 / Math.max(sum, 1e-9)) * paints[k]![c]!
      found.data[4 * i + c] = shown * (1 - cover) + paint * cover * (0.45 + (0.55 * shown) / 255)
    }
    found.data[4 * i + 3] = 255
  }
  return found
}

/** The place of a cell on the photo, as large as cells are apart: top, left, bottom, right. */
export function placeOf(layer: Layer, high: number, wide: number): number[] | null {
  if (!layer.cell) return null
  const at = layer.placement, [row, column] = layer.cell
  const [rows, columns] = centers(at, row + 1, column + 1), y = rows[row]! + 0.5, x = columns[column]! + 0.5
  const held = (one: number, most: number) => Math.min(Math.max(one, 0), most)
  return [held(y - at.jump[0] / 2, high), held(x - at.jump[1] / 2, wide), held(y + at.jump[0] / 2, high), held(x + at.jump[1] / 2, wide)]
}

/** What of the score the layer's attribution does not hold, under its name. */
export function rest(layer: Layer, score: number | undefined): [string, number][] {
  if (layer.empty !== null) return [['with the layer at zero', layer.empty]]
  return score === undefined ? [] : [['biases and bends behind', score - layer.total]]
}
