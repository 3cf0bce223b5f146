// Small pictures of those images that are looked at, a hundred to a sheet; the sheets least looked at make room.
import { keptThumbs, thumbsOf, unseen } from './ask'
import { EACH, SHEETS, type Painter } from './painter'
import type { MapData } from './data'

/** Milliseconds: after what went wrong, and until what has come is shown. */
const PAUSE = 3000, PATIENCE = 250
/** Sheets of a page that was saved: as many as it shows at once. */
const MOST = 64
/** Sheets come with smaller versions of themselves: halves, quarters, eighths. */
const SMALLER = [2, 4, 8]

export class Thumbs {
  /** spot of the small picture of each point; −1 where there is none */
  private spots: Int32Array
  private sheets: { points: number[]; images: number[]; used: number }[] = []
  private asked = false
  private clock = 0
  private until = 0
  private kept
  private points = new Map<number, number>()
  private ended = false
  private room = SHEETS

  constructor(private data: MapData, private painter: Painter, private index: string, private there: () => void) {
    this.spots = new Int32Array(data.count).fill(-1)
    this.kept = keptThumbs(index)
    if (!this.kept) return
    this.room = Math.max(1, Math.min(this.kept.sheets.length, MOST))
    data.images.forEach((image, i) => this.points.set(image, i))
  }

  /** Whether there is a small picture of a point. */
  has(i: number): boolean { return !this.kept || this.kept.spots.has(this.data.images[i]!) }

  /** Shows the small pictures of these points, as far as they are here, and asks for the others. */
  show(ids: number[]) {
    this.clock++
    const known: number[] = [], spots: number[] = [], lacking: number[] = []
    for (const i of ids) {
      const spot = this.spots[i]!
      if (spot < 0) { lacking.push(i); continue }
      known.push(i)
      spots.push(spot)
      this.sheets[Math.floor(spot / EACH)]!.used = this.clock
    }
    this.painter.pictured(known, spots)
    if (lacking.length && !this.asked && performance.now() > this.until) void this.ask(lacking)
  }

  /** Nothing is shown any more. */
  end() {
    if (this.ended) return
    this.ended = true
    for (const { images } of this.sheets) unseen(this.index, images)
  }

  /** The next sheet: of what is lacking; of a page that was saved, one that was kept, with the others on it. */
  private next(lacking: number[]): { points: number[]; images: number[]; sheet: Promise<Blob> } {
    const place = this.kept?.spots.get(this.data.images[lacking[0]!]!)
    if (place) {
      const { ids, sheet } = this.kept!.sheets[place[0]]!
      return { points: ids.map((image) => this.points.get(image) ?? -1), images: ids, sheet: Promise.resolve(sheet()) }
    }
    const points = lacking.slice(0, EACH), images = points.map((i) => this.data.images[i]!)
    return { points, images, sheet: thumbsOf(this.index, images) }
  }

  /** One sheet more; of those that were kept as many as come quickly. */
  private async ask(lacking: number[]) {
    this.asked = true
    const begun = performance.now()
    try {
      do {
        if (!(await this.take(lacking))) break
        lacking = lacking.filter((i) => this.spots[i]! < 0)
      } while (this.kept && lacking.length && performance.now() - begun < PATIENCE)
    } catch { this.until = performance.now() + PAUSE } finally {
      this.asked = false
      if (!this.ended) this.there()
    }
  }

  /** Takes a sheet in; false where there is no room for it, or nobody looks any more. */
  private async take(lacking: number[]): Promise<boolean> {
    let layer = this.sheets.length
    if (layer >= this.room) {
      layer = this.sheets.reduce((best, one, k) => (one.used < this.sheets[best]!.used ? k : best), 0)
      if (this.sheets[layer]!.used === this.clock) { this.until = performance.now() + PAUSE; return false }  // all are in sight
    }
    const { points, images, sheet } = this.next(lacking), whole = await createImageBitmap(await sheet)
    const smaller = await Promise.all(SMALLER.map((by) => createImageBitmap(whole,
      { resizeWidth: whole.width / by, resizeHeight: whole.height / by, resizeQuality: 'medium' })))
    if (this.ended) { unseen(this.index, images); return false }
    const gone = this.sheets[layer]
    if (gone) {
      for (const i of gone.points) if (i >= 0) this.spots[i] = -1
      unseen(this.index, gone.images)
    }
    this.sheets[layer] = { points, images, used: this.clock }
    this.painter.sheet(layer, [whole, ...smaller], this.room)
    points.forEach((i, k) => { if (i >= 0) this.spots[i] = layer * EACH + k })
    return true
  }
}
