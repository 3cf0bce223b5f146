// Where many small pictures stand, one beside the other, and which of them keys and pointers lead to.

/** Lengths in pixels of the page; a cell is (height, width). */
export interface Layout { columns: number; rows: number; cell: [number, number]; left: number; top: number; gap: number; width: number; height: number }
/** Room for a mark around cells. */
const EDGE = 6

/** Cells of a size, so many in a row. */
export function flowed(count: number, cell: [number, number], columns: number, gap: number): Layout {
  const rows = Math.ceil(count / columns), [high, wide] = cell
  return { columns, rows, cell, left: 0, top: 0, gap, width: Math.max(columns * (wide + gap) - gap, 1), height: Math.max(rows * (high + gap) - gap, 1) }
}

/** The columns with which cells of a shape are largest in a box, which leaves room for a mark around them. Their edges
 *  lie on pixels of the screen, of which there are `dots` in one of the page. */
export function fitted(count: number, shape: [number, number], width: number, height: number, dots: number): Layout {
  const across = Math.floor((width - 2 * EDGE) * dots), down = Math.floor((height - 2 * EDGE) * dots)
  const ratio = shape[0] / shape[1], gap = count > 600 ? 1 : count > 150 ? 2 : 4
  let columns = 1, wide = 1
  for (let tried = 1; tried <= count; tried++) {
    const rows = Math.ceil(count / tried)
    const found = Math.min((across - gap * (tried - 1)) / tried, (down - gap * (rows - 1)) / rows / ratio)
    if (found > wide) { columns = tried; wide = found }
  }
  const high = Math.max(Math.floor(wide * ratio), 1)
  wide = Math.floor(wide)
  const left = Math.max(Math.floor((across - columns * wide - gap * (columns - 1)) / 2), 0)
  return { columns, rows: Math.ceil(count / columns), cell: [high / dots, wide / dots], left: left / dots + EDGE, top: EDGE, gap: gap / dots, width, height }
}

/** Left and top of a cell. */
export const corner = (layout: Layout, k: number): [number, number] => [
  layout.left + (k % layout.columns) * (layout.cell[1] + layout.gap),
  layout.top + Math.floor(k / layout.columns) * (layout.cell[0] + layout.gap),
]

/** The cell at a point; -1 where there is none. */
export function cellAt(layout: Layout, count: number, x: number, y: number): number {
  const column = Math.floor((x - layout.left) / (layout.cell[1] + layout.gap)), row = Math.floor((y - layout.top) / (layout.cell[0] + layout.gap))
  const found = row * layout.columns + column
  return column < 0 || row < 0 || column >= layout.columns || found >= count ? -1 : found
}

/** How many cells farther a key leads from the `at`-th; null where it leads nowhere. */
export function steps(event: KeyboardEvent, columns: number, at: number, count: number): number | null {
  if (event.altKey || event.ctrlKey || event.metaKey) return null
  return { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, Home: -at, End: count - 1 - at }[event.key] ?? null
}
