// A map at the pixels of a window, as `pellucid.draw.overlay` reads it: between the centers of its cells, in its own
// frame; outside the outermost centers it keeps the value at the edge. A test holds both against each other.
import { listed } from './kinds/answer'
import type { Heatmap, Placement } from './paint'

export type Smooth = 'linear' | 'cubic' | 'cells'
export interface Sampled {
  values: Float64Array
  /** 1 where the network saw anything */
  seen: Uint8Array
  /** 1 where the map holds no number */
  broken: Uint8Array
}
/** Of one point: the first cell that counts, and how much each from there on does. */
interface Share { first: number; weights: number[] }
interface Grid { rows: number; columns: number; values: Float64Array }

/** The centers of all rows and of all columns, in pixels of the network's input. */
export function centers(at: Placement, rows: number, columns: number): [number[], number[]] {
  if (at.grid) return [listed(at.grid[0]), listed(at.grid[1])]
  const along = (axis: 0 | 1, count: number) => Array.from({ length: count }, (_, i) => at.start[axis] + at.jump[axis] * i)
  return [along(0, rows), along(1, columns)]
}

/** Map `which` of a result at rows × columns points of a box (top, left, bottom, right) of the original. */
export function sampled(
  heat: Heatmap, box: readonly number[], rows: number, columns: number, smooth: Smooth = 'linear', which = 0,
): Sampled {
  const [, height, width] = heat.values.shape as [number, number, number]
  const from = heat.values.values.subarray(which * height * width, (which + 1) * height * width)
  const { box: view, size } = heat.views[which]!
  const along = (axis: 0 | 1, count: number) => {
    const [low, high] = [box[axis]!, box[axis + 2]!], [first, last] = [view[axis]!, view[axis + 2]!]
    return Array.from({ length: count }, (_, i) => {
      const original = low + ((i + 0.5) * (high - low)) / count - 0.5
      return ((original + 0.5 - first) * size[axis]) / (last - first) - 0.5
    })
  }
  const y = along(0, rows), x = along(1, columns), [ys, xs] = centers(heat.placement, height, width)
  const spread = (values: Float64Array, how: Smooth) =>
    turned(read(turned(read({ rows: height, columns: width, values }, ys, y, how)), xs, x, how)).values
  const finite = Float64Array.from(from, (value) => Number(Number.isFinite(value)))
  const found = spread(Float64Array.from(from, (value) => (Number.isFinite(value) ? value : 0)), smooth)
  const seen = new Uint8Array(rows * columns), broken = new Uint8Array(rows * columns)
  for (let r = 0, k = 0; r < rows; r++)
    for (let c = 0; c < columns; c++, k++)
      seen[k] = Number(y[r]! >= -0.5 && y[r]! <= size[0] - 0.5 && x[c]! >= -0.5 && x[c]! <= size[1] - 0.5)
  if (finite.includes(0)) {
    const weight = spread(finite, smooth), whole = spread(finite, 'cells')
    for (let k = 0; k < found.length; k++) {
      found[k] = weight[k]! > 1e-9 ? found[k]! / weight[k]! : 0
      broken[k] = Number(whole[k]! < 0.5 && seen[k])
    }
  }
  return { values: found, seen, broken }
}

function turned(grid: Grid): Grid {
  const { rows, columns, values } = grid, found = new Float64Array(values.length)
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) found[c * rows + r] = values[r * columns + c]!
  return { rows: columns, columns: rows, values: found }
}

/** The rows of a grid, which lie at `cells`, read at `points`. */
function read(grid: Grid, cells: number[], points: number[], how: Smooth): Grid {
  const { columns, values } = grid, found = new Float64Array(points.length * columns)
  if (cells.length === 1) points.forEach((_, i) => found.set(values, i * columns))
  else if (how === 'cubic') cubic(grid, cells, points, found)
  else shares(cells, points, how).forEach(({ first, weights }, i) => {
    weights.forEach((weight, k) => {
      if (weight) for (let c = 0; c < columns; c++) found[i * columns + c]! += weight * values[(first + k) * columns + c]!
    })
  })
  return { rows: points.length, columns, values: found }
}

const held = (value: number, low: number, high: number) => Math.min(Math.max(value, low), high)

/** The number of cells before a point, as `numpy.searchsorted` counts them. */
function before(cells: number[], point: number): number {
  let low = 0, high = cells.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (cells[middle]! < point) low = middle + 1
    else high = middle
  }
  return low
}

/** How much of each cell each point shows; where cells are finer than points, each is the mean of its cells. */
function shares(cells: number[], points: number[], how: Smooth): Share[] {
  const last = cells.length - 1
  const step = points.length > 1 ? Math.abs(points[points.length - 1]! - points[0]!) / (points.length - 1) : 0
  return points.map((point) => {
    const at = held(point, cells[0]!, cells[last]!)
    const first = held(before(cells, at) - 1, 0, last - 1)
    const gap = cells[first + 1]! - cells[first]!  // none between cells that see the same
    if (gap < step && how === 'linear') {  // a grid may be fine at one place and coarse at another
      const start = held(before(cells, at - step), 0, last)
      const weights: number[] = []
      for (let i = start; i <= last && cells[i]! < at + step; i++) weights.push(1 - Math.abs(at - cells[i]!) / step)
      const sum = weights.reduce((a, b) => a + b, 0)
      return { first: start, weights: weights.map((weight) => weight / sum) }
    }
    const share = gap ? held((at - cells[first]!) / gap, 0, 1) : 0
    const next = how === 'cells' ? Number(share > 0.5) : share
    return { first, weights: [1 - next, next] }
  })
}

/** Cubic between cells without overshoot: slopes are harmonic means (Fritsch & Butland 1984), flat at the ends. */
function cubic({ rows, columns, values }: Grid, cells: number[], points: number[], found: Float64Array): void {
  const value = (i: number, c: number) => values[i * columns + c]!
  const rise = (i: number, c: number) => (value(i + 1, c) - value(i, c)) / (cells[i + 1]! - cells[i]!)
  const slope = (i: number, c: number) => {
    if (i === 0 || i === rows - 1) return 0
    const a = rise(i - 1, c), b = rise(i, c)
    return a * b > 0 ? (2 * a * b) / (a + b) : 0
  }
  points.forEach((point, k) => {
    const at = held(point, cells[0]!, cells[rows - 1]!), i = held(before(cells, at) - 1, 0, rows - 2)
    const step = cells[i + 1]! - cells[i]!, t = (at - cells[i]!) / step
    for (let c = 0; c < columns; c++) {
      const straight = value(i, c) + (value(i + 1, c) - value(i, c)) * t ** 2 * (3 - 2 * t)
      found[k * columns + c] = straight + step * t * (1 - t) * (slope(i, c) * (1 - t) - slope(i + 1, c) * t)
    }
  })
}
