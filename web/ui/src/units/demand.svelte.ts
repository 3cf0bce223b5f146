// A method that takes long, asked when somebody wants it: what is kept from before is there at once.
import { followed, jobs, posted, result, stopped, streamed, type Job, type Line } from '../api'
import { parsed } from '../wire'

export interface Question { method: string; nouns: Record<string, string>; options: Record<string, unknown> }

/** The method that makes the picture which excites a unit most. */
export const SYNTHESIS = 'activation_maximization'
/** Milliseconds that a question rests before it is looked up: not for every unit that is passed on the way to another. */
const REST = 300
const same = (job: Job, of: Question): boolean => job.about.method === of.method
  && JSON.stringify(job.about.options ?? {}) === JSON.stringify(of.options)
  && Object.entries(of.nouns).every(([key, value]) => job.about.nouns?.[key] === value)

/** Follows a question, also when it becomes another one. `ended` hears of the answer, or why there is none. */
export function demanded(question: () => Question, ended: (error: string) => void) {
  let found = $state.raw<any>(null)
  let key = $state('')
  let words = $state('')
  let share = $state<number | null>(null)
  let preview = $state('')
  let job = $state('')
  let error = $state('')
  let leave: AbortController | null = null
  const body = $derived(JSON.stringify(question()))

  $effect(() => {
    const asked = body
    found = null; key = ''; words = ''; error = ''; job = ''; preview = ''
    const mine = (leave = new AbortController())
    const timer = setTimeout(() => void before(asked, mine).catch(() => {}), REST)
    return () => { clearTimeout(timer); mine.abort(); leave?.abort() }
  })

  /** An answer that is kept, or work that is under way. */
  async function before(asked: string, mine: AbortController) {
    const { key: kept } = await posted<{ key: string | null }>('api/known', JSON.parse(asked), { signal: mine.signal })
    if (kept) { await show(kept, mine); return }
    const one = (await jobs()).find((each) => each.state === 'running' && same(each, JSON.parse(asked)))
    if (one && leave === mine && !mine.signal.aborted) await listen(followed(one.id, mine.signal), mine)
  }

  async function show(which: string, mine: AbortController) {
    const raw = await result(which)
    if (leave === mine && !mine.signal.aborted) { found = parsed(raw); key = which }
  }

  async function listen(lines: AsyncGenerator<Line>, mine: AbortController) {
    words = 'waiting'; error = ''; share = null; preview = ''
    try {
      for await (const line of lines) {
        if (mine.signal.aborted) return
        if (line.job) job = line.job
        if (line.progress?.length) {
          words = line.progress.map(([what, i, n]) => (n ? `${what} ${i} of ${n}` : what)).join(', ')
          const one = line.progress.find(([, , n]) => n)
          share = one ? one[1] / one[2]! : null
        }
        if (line.preview) preview = `api/jobs/${job}/preview?n=${line.n}`
        if (line.key) await show(line.key, mine)
        if (line.error) throw new Error(line.error)
      }
      if (!mine.signal.aborted) ended('')
    } catch (why) {
      if (!mine.signal.aborted) { error = (why as Error).message; if (error !== 'stopped') ended(error) }
    } finally {
      if (leave === mine) words = ''
    }
  }

  return {
    get found() { return found }, get key() { return key }, get words() { return words }, get share() { return share },
    get preview() { return preview }, get error() { return error },
    ask() {
      leave?.abort()
      const mine = (leave = new AbortController())
      void listen(streamed('api/ask', JSON.parse(body), mine.signal), mine)
    },
    stop() {
      if (job) void stopped(job).catch(() => {})
      else leave?.abort()
      words = ''
    },
  }
}
