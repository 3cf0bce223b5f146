// Arrow keys on maps and grids.

const ARROWS: Record<string, [number, number]> = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }

/** Where an arrow key leads, (down, right); null for any other key, and for one that is another program's. */
export const arrow = (event: KeyboardEvent): [number, number] | null =>
  event.altKey || event.ctrlKey || event.metaKey ? null : ARROWS[event.key] ?? null

/** A place in a map, as shares of its width and height. */
export interface Place { x: number; y: number }

/** The place that an arrow key moves a cross to, with Shift farther; null for any other key. */
export function crossed(event: KeyboardEvent, from: Place): Place | null {
  const move = arrow(event), step = event.shiftKey ? 0.1 : 0.02
  if (!move) return null
  event.preventDefault()
  const within = (share: number) => Math.min(Math.max(share, 0), 0.999)
  return { x: within(from.x + step * move[1]), y: within(from.y + step * move[0]) }
}
