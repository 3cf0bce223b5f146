// Ribbons between the columns of a pathway: as thick as what comes through, for the score and against it.
import type { Layer } from './lit'

export interface Box { left: number; top: number; right: number; bottom: number }
export interface Ribbon { d: string; value: number; column: number; from: number; to: number }

/** Of the thickest: thinner ribbons are left out. */
const LEAST = 0.01

/** Between each two columns, from the photo to the class: (ends, begins). */
export function flows(layers: readonly Layer[]): number[][][] {
  const own = (one: Layer) => [...one.shares, one.residual]
  return [own(layers[0]!).map((one) => [one]), ...layers.slice(0, -1).map((one, k) => one.links ?? own(layers[k + 1]!).map(() => own(one).map(() => 0))), [own(layers.at(-1)!)]]
}

/** Columns of boxes, the photo first and the class last, joined; `tall` is how thick all that reaches a box may be. */
export function ribbons(layers: readonly Layer[], columns: readonly Box[][], tall: (column: number) => number): Ribbon[] {
  const all = flows(layers), size = (one: number) => Math.abs(one)
  const least = LEAST * Math.max(...all.flat(2).map(size))
  const whole = (k: number, column: number) => Math.max(...columns[column]!.map((_, n) =>
    Math.max(column > 0 ? all[column - 1]![n]!.reduce((a, b) => a + size(b), 0) : 0, column < all.length ? all[column]!.reduce((a, row) => a + size(row[n]!), 0) : 0))) / tall(k)
  const thick = Math.max(...columns.map((_, k) => whole(k, k)), 1e-12)
  const found: Ribbon[] = []
  all.forEach((flow, k) => {
    const begins = columns[k]!, ends = columns[k + 1]!
    const wide = flow.map((row) => row.map((one) => (size(one) >= least ? size(one) / thick : 0)))
    const out = begins.map((_, i) => wide.reduce((a, row) => a + row[i]!, 0)), into = wide.map((row) => row.reduce((a, b) => a + b, 0))
    const left = begins.map((box, i) => (box.top + box.bottom - out[i]!) / 2), right = ends.map((box, j) => (box.top + box.bottom - into[j]!) / 2)
    for (let j = 0; j < ends.length; j++)
      for (let i = 0; i < begins.length; i++) {
        const w = wide[j]![i]!
        if (!w) continue
        const [x0, x1, y0, y1] = [begins[i]!.right + 3, ends[j]!.left - 3, left[i]!, right[j]!], half = (x0 + x1) / 2
        left[i]! += w
        right[j]! += w
        found.push({ column: k, from: i, to: j, value: flow[j]![i]!, d: `M${x0} ${y0}C${half} ${y0} ${half} ${y1} ${x1} ${y1}v${w}C${half} ${y1 + w} ${half} ${y0 + w} ${x0} ${y0 + w}Z` })
      }
  })
  return found
}
