// What the server is asked. All addresses are relative: the page lives below a token, and perhaps below a proxy.
import { answered, drawing, keyOf, noted, saved } from './saved'

export interface Guess { class: number; name: string; probability: number | null; score: number }
export interface Seen {
  guesses: Guess[]
  /** top, left, bottom, right of what the network saw, in pixels of the original */
  seen: [number, number, number, number]
  /** height, width of the original */
  size: [number, number]
  scores: string
  notes: string[]
}
export interface Picture { id: string; name: string }
export interface Net { id: string; name: string; classes: number; device: string; shown: string }
/** The networks in the order of the command line, whichever is looked at. */
export const networks = (here: State): Net[] => [...(here.nets ?? [])].sort((a, b) => Number(a.id.slice(1)) - Number(b.id.slice(1)))
export interface IndexInfo { id: string; name: string; pictures: number; layers: { name: string; units: number }[] }
export interface Schema {
  type?: string; title?: string; description?: string; default?: unknown; enum?: unknown[]; const?: unknown
  format?: string; anyOf?: Schema[]; items?: Schema; prefixItems?: Schema[]; minimum?: number; maximum?: number
  ge?: number; gt?: number; le?: number; lt?: number; examples?: unknown[]; 'x-default'?: string; [more: string]: unknown
}
export interface Method {
  name: string; title: string; chapter: string; purpose: string; shows: string; source: string; doc: string
  over: string; quick: Record<string, unknown>; long: boolean; took: number | null
  /** what it is asked about, by argument, in order */
  nouns: Record<string, { format: string; written: string; needed: boolean; many: boolean; help: string; sample: string }>
  /** the kind of its result */
  gives: string
  options: { properties: Record<string, Schema>; required?: string[] }
  /** why it cannot be used, of a method of another package */
  broken?: string
}
export interface State {
  version: string; state: string; lost: number; error?: string
  /** the first is the one that is looked at */
  nets?: Net[]; images?: Picture[]; folders?: Picture[]; indexes?: IndexInfo[]
  /** filled by the page once the server is ready */
  methods?: Method[]
}
export interface Column { name: string; class?: number; probability?: number | null }
export type Progress = [what: string, done: number, total: number | null][]
export interface Line {
  n?: number; job?: string; long?: boolean
  columns?: Column[]; rows?: { name: string; title: string }[]
  row?: number; column?: number; key?: string; kind?: string; took?: number; error?: string
  progress?: Progress; preview?: boolean; beat?: boolean; done?: boolean; seconds?: number
}
export interface Job {
  id: string; do: string; about: Record<string, any>; state: 'running' | 'done' | 'failed' | 'stopped' | 'interrupted'
  begun: number; ended: number | null; progress: Progress | null; keys: string[]; preview: boolean; error: string | null
  /** whether others go before it; since when a worker is at it */
  waiting: boolean; working: number | null
  /** rounds of the outermost loop in a second, and the seconds that it will still take */
  rate: number | null; left: number | null
}

export class Refused extends Error {
  constructor(message: string, readonly kind: string, readonly status: number) { super(message) }
}

const own = { 'X-Pellucid': '1' }

async function checked(answer: Response): Promise<Response> {
  if (answer.ok) return answer
  const said = await answer.json().catch(() => ({})) as { error?: string; kind?: string }
  throw new Refused(said.error ?? `the server answered ${answer.status}`, said.kind ?? '', answer.status)
}

/** Asks the server; of a page that was taken away, what it had answered. */
async function asked(path: string, how: RequestInit = {}): Promise<Response> {
  const key = keyOf(path, how)
  if (saved) return checked(answered(key))
  const answer = await checked(await fetch(path, how))
  if (!how.method) noted(key)
  else if (typeof how.body === 'string') {
    const type = answer.headers.get('content-type') ?? ''
    if (type === 'application/json') noted(key, { json: await answer.clone().json() })
    else if (/^(application.octet-stream|image.jpeg)$/.test(type)) noted(key, await answer.clone().blob())
  }
  return answer
}

/** How something is sent as JSON. */
export const sending = (body: unknown, how: RequestInit = {}): RequestInit =>
  ({ method: 'POST', body: JSON.stringify(body), headers: { ...own, 'Content-Type': 'application/json' }, ...how })

export async function got<T>(path: string, how: RequestInit = {}): Promise<T> {
  return (await asked(path, how)).json() as Promise<T>
}

/** Asks for something to be changed; `keepalive` outlives the page. */
export const posted = <T>(path: string, body: unknown = {}, how: RequestInit = {}): Promise<T> =>
  got(path, sending(body, how))

/** Raw bytes, such as a safetensors file for `parsed`. */
export const bytes = async (path: string, how: RequestInit = {}): Promise<ArrayBuffer> =>
  (await asked(path, how)).arrayBuffer()

/** Bytes of a kind, such as a picture. */
export const blob = async (path: string, how: RequestInit = {}): Promise<Blob> => (await asked(path, how)).blob()

/** Raw bytes sent and received. */
export const exchanged = (path: string, body: Blob, stop?: AbortSignal): Promise<ArrayBuffer> =>
  bytes(path, { method: 'POST', body, headers: own, signal: stop })

export const state = (): Promise<State> => got('api/state')
export const methods = (): Promise<Method[]> => got('api/methods')

export const predict = (net: string, image: string, k = 5): Promise<Seen> =>
  got(`api/nets/${net}/predict/${encodeURIComponent(image)}?k=${k}`)

/** The address of a picture whose longer side has so many pixels at most. */
export const pictured = (image: string, side: number): string => drawn(`api/images/${encodeURIComponent(image)}?side=${side}`)

/** The address of anything that is looked at. */
export function drawn(path: string): string {
  noted(path)
  return saved ? drawing(path) : path
}

/** A picture as its pixels. */
export const bitmap = async (image: string, side: number): Promise<ImageBitmap> =>
  createImageBitmap(await blob(`api/images/${encodeURIComponent(image)}?side=${side}`))

export const upload = (file: File): Promise<Picture & { notes: string[] }> =>
  got('api/images', { method: 'POST', body: file, headers: { ...own, 'X-Name': encodeURIComponent(file.name) } })

export const result = (key: string): Promise<ArrayBuffer> => bytes(`api/results/${key}`)
export const file = (key: string, as: 'png' | 'svg' | 'npz' | 'json', dark = false): string =>
  `api/results/${key}?as=${as}${dark ? '&dark=true' : ''}`

export const jobs = (): Promise<Job[]> => got('api/jobs')
export const stopped = (job: string): Promise<Job> => posted(`api/jobs/${job}/stop`, {}, { keepalive: true })
export const resumed = (job: string): Promise<Job> => posted(`api/jobs/${job}/resume`)
export const dropped = (job: string): Promise<Job> => got(`api/jobs/${job}`, { method: 'DELETE', headers: own })

async function* lines(answer: Response): AsyncGenerator<Line> {
  if (!answer.body) return
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  for (;;) {
    const { value, done } = await reader.read()
    if (done) return
    const parts = (rest + value).split('\n')
    rest = parts.pop() ?? ''
    for (const line of parts) if (line) yield JSON.parse(line) as Line
  }
}

const accept = { Accept: 'text/event-stream' }
const pause = (seconds: number) => new Promise((go) => setTimeout(go, 1000 * seconds))

/** The lines of a question as they come; the last says that it is done, or what went wrong. A stream that breaks off is
 *  taken up where it was; leaving it (`leave.abort()`) stops the work, unless it is long work. */
export async function* streamed(path: string, body: unknown, leave: AbortSignal): AsyncGenerator<Line> {
  const how = { method: 'POST', body: JSON.stringify(body), signal: leave,
    headers: { ...own, ...accept, 'Content-Type': 'application/json' } }
  const all: Line[] = [], key = keyOf(path, how)
  for await (const line of kept(await asked(path, how), leave)) {
    if (!line.progress && !line.preview && !line.job) noted(key, { lines: (all.push(line), all) })
    yield line
  }
}

/** The lines of work that is under way, from the first on. */
export async function* followed(job: string, leave: AbortSignal): AsyncGenerator<Line> {
  yield* kept(await asked(`api/jobs/${job}/events`, { headers: accept, signal: leave }), leave)
}

async function* kept(answer: Response, leave: AbortSignal): AsyncGenerator<Line> {
  let job = '', long = false, after = 0, ended = false, tries = 0
  const stop = () => { if (job && !long && !ended) void stopped(job).catch(() => {}) }
  leave.addEventListener('abort', stop, { once: true })
  try {
    while (!ended) {
      try {
        for await (const line of lines(answer)) {
          if (line.job) { job = line.job; long = !!line.long }
          if (line.n) { after = line.n; tries = 0 }
          ended ||= !!line.done || (line.error !== undefined && line.row === undefined)
          if (!line.beat) yield line
        }
      } catch (why) { if (leave.aborted) throw why }
      if (ended || leave.aborted) return
      if (!job || tries > 4) throw new Refused('the connection to the server is lost', 'Lost', 0)
      await pause(tries++)
      answer = await checked(await fetch(`api/jobs/${job}/events?after=${after}`, { headers: accept, signal: leave }))
    }
  } finally { leave.removeEventListener('abort', stop) }
}
