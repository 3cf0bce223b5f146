// A page that was taken away is this page with the answers that it had: `saved` holds them, and nothing is asked.
// While the explorer runs, `used` remembers what the open page has asked for.

export interface Kept {
  json?: unknown
  /** base64 */
  bytes?: string
  type?: string
  lines?: unknown[]
}
export interface Saved {
  version: string; hash: string; title: string; records: Record<string, Kept>
  /** when; not said of what is the same whenever it is made */
  made: string | null
  /** the colors that it opens with; null: those of whoever opens it */
  dark: boolean | null
}

const element = document.getElementById('saved')
export const saved: Saved | null = element ? (JSON.parse(element.textContent ?? '') as Saved) : null

const used = new Map<string, Kept | Blob | null>()

/** Another page has been opened: what it asks for is all that it needs. */
export const begun = (): void => {
  for (const path of [...used.keys()]) if (!['api/state', 'api/methods'].includes(path)) used.delete(path)
}

/** Something was asked for; where asking again would not give the same, with the answer. */
export const noted = (path: string, kept: Kept | Blob | null = null): void => { if (!saved) used.set(path, kept) }

/** What an open page does not need any more. */
export const forgotten = (path: string): void => { used.delete(path) }

/** The name under which an answer is kept. */
export const keyOf = (path: string, how: RequestInit = {}): string =>
  typeof how.body === 'string' ? `${path} ${how.body}` : path

/** The kept answer to a request. */
export function answered(key: string): Response {
  const kept = saved!.records[key]
  if (!kept) {
    const error = 'This page was saved to be looked at: ask in the explorer itself'
    return new Response(JSON.stringify({ error, kind: 'Saved' }), { status: 404 })
  }
  if (kept.lines) return new Response([...kept.lines, { done: true }].map((line) => `${JSON.stringify(line)}\n`).join(''))
  return kept.bytes === undefined ? new Response(JSON.stringify(kept.json)) : new Response(blobOf(kept))
}

/** Kept bytes. */
export const blobOf = (kept: Kept): Blob =>
  new Blob([Uint8Array.from(atob(kept.bytes ?? ''), (one) => one.charCodeAt(0))], { type: kept.type ?? '' })

/** What is kept below an address, by the rest of what was asked. */
export const below = (path: string): [rest: string, kept: Kept][] =>
  Object.entries(saved?.records ?? {}).filter(([key]) => key.startsWith(path)).map(([key, kept]) => [key.slice(path.length), kept])

/** A kept picture as an address. */
export const drawing = (path: string): string => {
  const kept = saved!.records[path]
  return kept?.bytes ? `data:${kept.type};base64,${kept.bytes}` : ''
}

async function base64(blob: Blob): Promise<string> {
  const address = await new Promise<string>((done, failed) => {
    const reader = new FileReader()
    reader.onload = () => done(reader.result as string)
    reader.onerror = () => failed(new Error('an answer cannot be read'))
    reader.readAsDataURL(blob)
  })
  return address.slice(address.indexOf(',') + 1)
}

/** All that the open page has asked for, with the answers. */
export async function collected(): Promise<Record<string, Kept>> {
  const found: Record<string, Kept> = {}
  for (const [path, kept] of used) {
    if (kept instanceof Blob) { found[path] = { bytes: await base64(kept), type: kept.type }; continue }
    if (kept) { found[path] = kept; continue }
    const answer = await fetch(path)
    if (!answer.ok) continue
    const type = answer.headers.get('content-type')?.split(';')[0] ?? ''
    found[path] = type === 'application/json' ? { json: await answer.json() } : { bytes: await base64(await answer.blob()), type }
  }
  const methods = found['api/methods'], all = location.hash + JSON.stringify({ ...found, 'api/methods': null })
  if (methods) methods.json = (methods.json as { name: string }[]).filter(({ name }) => all.includes(name))
  return found
}
