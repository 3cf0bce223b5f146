// A map: where the images of an index lie, in an order drawn once, so that the first of them are a fair sample of all.
import type { Numbers } from '../wire'

export interface Sent {
  layer: string; layout: string; count: number; of: number; high: number; sides: [number, number]; classes: string[]; names: string[]
  quality: Record<string, number>; missing: string; notes: string[]
  /** pixels of the small pictures that the index keeps, whatever became of its images; 0: none */
  small: number
  places: Numbers; images: Numbers; labels: Numbers; cells?: Numbers; seams?: Numbers
  /** of how many there are small pictures; of all where it is not said */
  pictured?: number
  /** of which network it is, of whoever is not shown that elsewhere */
  origin?: string
}
/** What is said of a selection: its classes, the most frequent first, and its first images. */
export interface Told { classes: { name: string; count: number }[]; first: number[] }

/** Everything that is drawn lies in a box that is 1 wide and `high` high. */
export class MapData {
  readonly count: number
  readonly places: Float32Array
  /** The same images in a full grid; empty where there is none. */
  readonly grid: Float32Array
  readonly side: number
  readonly left: number
  readonly top: number
  readonly images: Int32Array
  readonly labels: Int32Array
  private held = new Int32Array(0)
  private bins: number
  private starts: Uint32Array
  private inside: Uint32Array

  constructor(readonly sent: Sent) {
    const { high, sides: [rows, columns] } = sent
    this.count = sent.count
    this.places = sent.places.values as Float32Array
    this.images = sent.images.values as Int32Array
    this.labels = sent.labels.values as Int32Array
    this.side = columns ? Math.min(1 / columns, high / rows) : 0
    this.left = (1 - this.side * columns) / 2
    this.top = (high - this.side * rows) / 2
    this.grid = new Float32Array(sent.cells ? 2 * this.count : 0)
    if (sent.cells) {
      this.held = new Int32Array(rows * columns).fill(-1)
      sent.cells.values.forEach((cell, i) => {
        this.grid[2 * i] = this.left + ((cell % columns) + 0.5) * this.side
        this.grid[2 * i + 1] = this.top + (Math.floor(cell / columns) + 0.5) * this.side
        this.held[cell] = i
      })
    }
    this.bins = Math.max(8, Math.min(400, Math.round(Math.sqrt(this.count))))
    this.starts = new Uint32Array(this.bins ** 2 + 1)
    this.inside = new Uint32Array(this.count)
    for (let i = 0; i < this.count; i++) this.starts[this.bin(i) + 1]!++
    for (let b = 0; b < this.bins ** 2; b++) this.starts[b + 1]! += this.starts[b]!
    const next = this.starts.slice()
    for (let i = 0; i < this.count; i++) this.inside[next[this.bin(i)]!++] = i
  }

  private step(x: number): number { return Math.min(this.bins - 1, Math.max(0, Math.floor(x * this.bins))) }
  private bin(i: number): number {
    return this.step(this.places[2 * i + 1]! / this.sent.high) * this.bins + this.step(this.places[2 * i]!)
  }

  /** The image nearest to a place, within a reach, of those that are drawn last; −1 where there is none. */
  near(x: number, y: number, reach: number): number {
    let best = -1, least = reach
    for (let r = this.step((y - reach) / this.sent.high); r <= this.step((y + reach) / this.sent.high); r++)
      for (let c = this.step(x - reach); c <= this.step(x + reach); c++)
        for (let k = this.starts[r * this.bins + c]!; k < this.starts[r * this.bins + c + 1]!; k++) {
          const i = this.inside[k]!, far = Math.max(Math.abs(this.places[2 * i]! - x), Math.abs(this.places[2 * i + 1]! - y))
          if (far <= least) { least = far; best = i }
        }
    return best
  }

  /** The image in the cell of the grid at a place. */
  cell(x: number, y: number): number {
    const [rows, columns] = this.sent.sides, c = Math.floor((x - this.left) / this.side), r = Math.floor((y - this.top) / this.side)
    return c >= 0 && r >= 0 && c < columns && r < rows ? this.held[r * columns + c]! : -1
  }

  /** Those that lie nearest to an image. */
  beside(i: number, many = 3): number[] {
    const [x, y] = [this.places[2 * i]!, this.places[2 * i + 1]!], found: [number, number][] = []
    for (let ring = 1; ring <= 2 * this.bins; ring *= 2) {  // everything within a ring's reach is in its bins
      const [r0, r1] = [-ring, ring].map((far) => this.step(y / this.sent.high + far / this.bins)) as [number, number]
      const [c0, c1] = [-ring, ring].map((far) => this.step(x + far / this.bins)) as [number, number]
      found.length = 0
      for (let r = r0; r <= r1; r++)
        for (let c = c0; c <= c1; c++)
          for (let k = this.starts[r * this.bins + c]!; k < this.starts[r * this.bins + c + 1]!; k++) {
            const j = this.inside[k]!
            if (j !== i) found.push([(this.places[2 * j]! - x) ** 2 + (this.places[2 * j + 1]! - y) ** 2, j])
          }
      found.sort((a, b) => a[0] - b[0] || a[1] - b[1])
      const reach = ring / this.bins * Math.min(1, this.sent.high)
      if ((found[many - 1]?.[0] ?? Infinity) <= reach ** 2) break
    }
    return found.slice(0, many).map(([, j]) => j)
  }

  /** These, last those that do not cover one another, as many as the first found allow: they are drawn on top. */
  onTop(ids: number[], at: Float32Array, side: number): number[] { return this.split(ids, at, side).flat() }

  /** Of these those that do not cover one another, as many as the first found allow. */
  apart(ids: number[], at: Float32Array, side: number): number[] { return this.split(ids, at, side)[1] }

  private split(ids: number[], at: Float32Array, side: number): [below: number[], above: number[]] {
    const below: number[] = [], above: number[] = [], taken = new Map<number, number[]>(), wide = Math.ceil(1 / side) + 3
    for (const i of ids) {
      const x = at[2 * i]!, y = at[2 * i + 1]!, cell = (Math.floor(y / side) + 1) * wide + Math.floor(x / side) + 1
      const near = [-wide - 1, -wide, -wide + 1, -1, 0, 1, wide - 1, wide, wide + 1]
      if (near.some((by) => taken.get(cell + by)?.some((j) => Math.max(Math.abs(at[2 * j]! - x), Math.abs(at[2 * j + 1]! - y)) < side))) { below.push(i); continue }
      above.push(i)
      taken.set(cell, [...(taken.get(cell) ?? []), i])
    }
    return [below, above]
  }

  /** Whether there are pictures to be seen, be it small ones. */
  get pictured(): boolean { return (!this.sent.missing || this.sent.small > 0) && this.sent.pictured !== 0 }

  /** Those of these images that are on the map. */
  with(images: Iterable<number>): Set<number> {
    const wanted = new Set(images), found = new Set<number>()
    this.images.forEach((image, i) => { if (wanted.has(image)) found.add(i) })
    return found
  }

  /** As they stand in the index. */
  ordered(ids: Iterable<number>): number[] { return [...ids].sort((a, b) => this.images[a]! - this.images[b]!) }

  told(ids: Iterable<number>): Told {
    const all = this.ordered(ids), counts = new Map<number, number>()
    for (const i of all) if (this.labels[i]! >= 0) counts.set(this.labels[i]!, (counts.get(this.labels[i]!) ?? 0) + 1)
    const classes = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0])
    return { classes: classes.map(([k, count]) => ({ name: this.sent.classes[k]!, count })), first: all.slice(0, 12) }
  }

  /** Images within a closed line. */
  enclosed(line: [number, number][], grid: boolean): number[] {
    const at = grid ? this.grid : this.places, found: number[] = []
    const xs = line.map(([x]) => x), ys = line.map(([, y]) => y)
    const [x0, x1, y0, y1] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)]
    for (let i = 0; i < this.count; i++) {
      const x = at[2 * i]!, y = at[2 * i + 1]!
      if (x < x0 || x > x1 || y < y0 || y > y1) continue
      let inside = false
      for (let a = 0, b = line.length - 1; a < line.length; b = a++)
        if (ys[a]! > y !== ys[b]! > y && x < ((xs[b]! - xs[a]!) * (y - ys[a]!)) / (ys[b]! - ys[a]!) + xs[a]!) inside = !inside
      if (inside) found.push(i)
    }
    return found
  }

  name(i: number): string { return this.sent.names[i] ?? `picture ${this.images[i]}` }
  label(i: number): string { return this.sent.classes[this.labels[i]!] ?? '' }
  called(i: number): string { return [this.label(i), this.name(i)].filter(Boolean).join(' · ') }
}

/** Text as a cell of a table that a spreadsheet reads as text. */
export const cellOf = (value: unknown): string => {
  const text = String(value ?? ''), safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** What a map keeps of who is near whom, in words. */
export function worth({ quality, count }: Sent): string {
  const { recall, trust, rank } = quality
  if (recall === undefined || trust === undefined || rank === undefined) return ''
  const share = (one: number) => `${Math.round(100 * one)} %`, near = Math.max(Math.min(10, Math.floor((count - 1) / 2)), 1)
  const said = recall > 0.5 ? 'Who is near whom is mostly kept' : recall > 0.2 ? 'Who is near whom is partly kept' : 'Neighbors on this map are rarely neighbors in the layer'
  return `${said}: of the ${near} nearest pictures of each, ${share(recall)} are among its ${near} nearest here (trustworthiness ${trust.toFixed(2)}). Distances rank alike with correlation ${rank.toFixed(2)}.`
}
