// Which nodes of a decision tree are open, and in which order they stand.
import { listed } from '../answer'

export interface Node {
  at: number; parent: number; below: number[]; side: string; question: string; answer: string
  share: number; agreement: number; shown: number[]; walk: number | null; height: number | null
}

export function nodesOf(result: any): Node[] {
  const parents = listed(result.parents), shares = listed(result.shares), agreement = listed(result.agreement)
  const walk = result.walk ? listed(result.walk) : null, heights = result.heights ? listed(result.heights) : null
  const wide = result.shown.shape[1] as number, shown = listed(result.shown)
  const found = parents.map((parent, at): Node => ({
    at, parent, below: [], side: result.sides[at], question: result.questions[at], answer: result.answers[at],
    share: shares[at]!, agreement: agreement[at]!, shown: shown.slice(at * wide, (at + 1) * wide).filter((one) => one >= 0),
    walk: walk ? walk[at]! : null, height: heights ? heights[at]! : null,
  }))
  for (const one of found) if (one.parent >= 0) found[one.parent]!.below.push(one.at)
  for (const one of found) if (one.below.some((k) => found[k]!.side === 'yes')) one.below.sort((a, b) => Number(found[a]!.side !== 'yes') - Number(found[b]!.side !== 'yes'))
  return found
}

/** The nodes from the root to one, the root first. */
export function way(nodes: readonly Node[], at: number): number[] {
  const found = [at]
  while (nodes[found[0]!]!.parent >= 0) found.unshift(nodes[found[0]!]!.parent)
  return found
}

/** Where the one image most probably ends; null where none was asked about. */
export function end(nodes: readonly Node[]): number | null {
  if (nodes[0]?.walk === null) return null
  return nodes.filter((one) => !one.below.length).reduce((best, one) => (one.walk! > nodes[best]!.walk! ? one.at : best), nodes.find((one) => !one.below.length)!.at)
}

/** Open at first: what holds most, so that at most so many leaves stand there; and the way of the one image. */
export function opened(nodes: readonly Node[], most: number): Set<number> {
  const found = new Set<number>(), last = end(nodes)
  let ends = 1
  const open = (at: number) => { if (!found.has(at)) { found.add(at); ends += nodes[at]!.below.length - 1 } }
  if (last !== null) for (const at of way(nodes, last)) if (nodes[at]!.below.length) open(at)
  const worth = (at: number) => nodes[at]!.height ?? nodes[at]!.share
  const waiting = nodes[0]?.below.length ? [0] : []
  while (waiting.length) {
    waiting.sort((a, b) => worth(a) - worth(b))
    const at = waiting.pop()!
    if (!found.has(at) && ends + nodes[at]!.below.length - 1 > most) continue
    open(at)
    waiting.push(...nodes[at]!.below.filter((k) => nodes[k]!.below.length))
  }
  return found
}

/** The nodes that are seen, from top to bottom, each with its depth. */
export function seen(nodes: readonly Node[], open: ReadonlySet<number>): { at: number; depth: number }[] {
  const found: { at: number; depth: number }[] = [], stack = [{ at: 0, depth: 0 }]
  while (stack.length) {
    const one = stack.pop()!
    found.push(one)
    if (open.has(one.at)) for (const k of [...nodes[one.at]!.below].reverse()) stack.push({ at: k, depth: one.depth + 1 })
  }
  return found
}
