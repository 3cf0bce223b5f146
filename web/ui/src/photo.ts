// Pictures by their ids, as the network saw them: under maps, beside units, behind numbers.
import { bitmap } from './api'
import type { View } from './paint'

type Seen = Pick<View, 'box' | 'original'>
const held = new Map<string, Promise<ImageBitmap>>()

/** What the network saw of a picture, so many pixels wide; gray without a picture. Of `from` pixels is the picture that
 *  is asked for. */
export async function photographed(id: string | undefined, { box, original }: Seen, side: number, from = 1600): Promise<OffscreenCanvas> {
  const [top, left, bottom, right] = box
  const canvas = new OffscreenCanvas(side, Math.max(1, Math.round((side * (bottom - top)) / Math.max(right - left, 1e-9))))
  const pen = canvas.getContext('2d')!
  pen.fillStyle = '#8a8f98'
  pen.fillRect(0, 0, canvas.width, canvas.height)
  if (id) {
    const key = `${id} ${from}`
    if (held.size > 8) held.clear()
    if (!held.has(key)) held.set(key, bitmap(id, from).catch((why) => { held.delete(key); throw why }))
    const full = await held.get(key)!, ratio = full.width / original[1]
    pen.imageSmoothingQuality = 'high'
    pen.drawImage(full, left * ratio, top * ratio, (right - left) * ratio, (bottom - top) * ratio, 0, 0, canvas.width, canvas.height)
  }
  return canvas
}

/** The same, as pixels. */
export async function photo(id: string | undefined, seen: Seen, side: number, from = 1600): Promise<ImageData> {
  const canvas = await photographed(id, seen, side, from)
  return canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height)
}
