// Many pictures with the same question, one after the other.
import { predict, Refused, result, streamed, type Column, type Seen } from '../api'
import type { Heatmap } from '../paint'
import { photo } from '../photo'
import { parsed } from '../wire'

export interface Wanted { id: string; name: string }
export interface Cell { row: number; column: number; heat: Heatmap; key: string }
/** A picture with what was found. Why there is nothing stands in `refused`: of one map by its place, "ROW COLUMN", of all by ''. */
export interface Shown extends Wanted { seen: Seen | null; photo: ImageData | null; columns: Column[]; maps: Record<string, Cell>; refused: Record<string, string> }
export interface Question { net: string; methods: string[]; targets: string[]; k: number }

/** Pixels of the longer side of a picture. */
export const SIDE = 448

/** What the network says of a picture and where each method looks. A picture that cannot be read says so, and others go
 *  on; what is wrong with the question itself, or with the server, is thrown. */
export async function explained(one: Wanted, { net, methods, targets, k }: Question, leave: AbortSignal): Promise<Shown> {
  const found: Shown = { ...one, seen: null, photo: null, columns: [], maps: {}, refused: {} }
  try {
    found.seen = await predict(net, one.id, 5)
    found.photo = await photo(one.id, { box: found.seen.seen, original: found.seen.size }, 256, SIDE)
  } catch (why) {
    if (!(why instanceof Refused) || (why.status !== 404 && why.status !== 422)) throw why
    return { ...found, refused: { '': why.message } }
  }
  for await (const line of streamed('api/compare', { methods, image: one.id, net, targets, k }, leave)) {
    if (line.columns) found.columns = line.columns
    const place = line.row === undefined ? '' : `${line.row} ${line.column}`
    if (line.key) found.maps[place] = { row: line.row!, column: line.column!, key: line.key, heat: parsed(await result(line.key)) as Heatmap }
    else if (line.error && !place && targets.length) throw new Error(line.error)  // of a class that no picture has
    else if (line.error) found.refused[place] = line.error
  }
  return found
}
