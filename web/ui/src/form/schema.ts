// From the schema of an option to what a form shows for it, and from what was typed to what is sent.
import type { Method, Schema, State } from '../api'

export type Shape =
  | { as: 'choice'; words: string[]; picture: boolean }
  | { as: 'switch' }
  | { as: 'number'; whole: boolean; min?: number; max?: number; above?: number; below?: number }
  | { as: 'fields'; parts: Shape[] }
  | { as: 'several'; words: string[] }
  | { as: 'picture' }
  | { as: 'nets' }
  | { as: 'text'; list: boolean; format: string }
  | { as: 'elsewhere' }

export interface Widget {
  shape: Shape; value: string; hint: string; title: string; describes: string; example: string
  /** what an option is that is not given: 'automatic' or 'none'; empty where it must be given, or its default is shown */
  empty: string
  /** what happens then, in words, where these say more */
  otherwise: string
}

/** Formats whose text a grammar reads; what has any other is the name of a file, which a page cannot give. */
const WORDS = new Set(['explainers', 'recipe', 'extent', 'direction', 'ask', 'target'])
const PARTS: (keyof Schema)[] = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'ge', 'gt', 'le', 'lt']

/** All that a value may be, with the bounds that stand around them. */
function ways(schema: Schema): Schema[] {
  if (!schema.anyOf) return [schema]
  const outer = Object.fromEntries(PARTS.filter((key) => key in schema).map((key) => [key, schema[key]]))
  return schema.anyOf.flatMap((one) => ways({ ...outer, ...one }))
}

const written = (value: unknown): string =>
  value === null || value === undefined ? '' : value === true ? 'yes' : value === false ? 'no'
    : Array.isArray(value) ? value.map(written).join(',') : String(value)

function shaped(schema: Schema): Shape {
  const all = ways(schema).filter((one) => one.type !== 'null')
  const words = all.flatMap((one) => [...(one.enum ?? []), ...('const' in one ? [one.const] : [])]).map(String)
  const formats = new Set(all.flatMap((one) => [one.format, one.items?.format]).filter(Boolean) as string[])
  const foreign = [...formats].filter((one) => !WORDS.has(one))
  if (words.length) return { as: 'choice', words, picture: formats.has('image') }
  if (foreign.length) return foreign.every((one) => one === 'image') ? { as: 'picture' } : foreign.every((one) => one === 'nets') ? { as: 'nets' } : { as: 'elsewhere' }
  const rows = all.find((one) => one.type === 'array')
  if (rows?.items?.enum) return { as: 'several', words: rows.items.enum.map(String) }
  const numbers = all.filter((one) => one.type === 'number' || one.type === 'integer')
  if (rows?.prefixItems && all.length === 1) return { as: 'fields', parts: rows.prefixItems.map(shaped) }
  if (all.every((one) => one.type === 'boolean')) return { as: 'switch' }
  if (numbers.length === all.length) {
    const first = (...keys: (keyof Schema)[]) => {
      for (const one of numbers) for (const key of keys) if (typeof one[key] === 'number') return one[key] as number
      return undefined
    }
    return { as: 'number', whole: numbers.every((one) => one.type === 'integer'), min: first('minimum', 'ge'),
      max: first('maximum', 'le'), above: first('exclusiveMinimum', 'gt'), below: first('exclusiveMaximum', 'lt') }
  }
  return { as: 'text', list: !!rows, format: [...formats][0] ?? '' }
}

const ENDLESS = 2 ** 31

/** The bounds of a number in words: "1 to 4096", "at least 1", "above 0, at most 1". */
function bounds(shape: Shape): string {
  if (shape.as === 'fields') return shape.parts.map(bounds).filter(Boolean).join('; ')
  if (shape.as !== 'number') return ''
  const max = shape.max !== undefined && shape.max < ENDLESS ? shape.max : undefined
  if (shape.min !== undefined && max !== undefined) return `${shape.min} to ${max}`
  return [shape.above !== undefined && `above ${shape.above}`, shape.min !== undefined && `at least ${shape.min}`,
    shape.below !== undefined && `below ${shape.below}`, max !== undefined && `at most ${max}`].filter(Boolean).join(', ')
}

export function widget(name: string, schema: Schema): Widget {
  const shape = shaped(schema), value = written(schema.default), words = value ? '' : schema['x-default'] ?? ''
  const none = /^none\b/.test(words), free = !!words || ways(schema).some((one) => one.type === 'null')
  return { shape, value, empty: !free || value ? '' : none ? 'none' : 'automatic',
    otherwise: words === 'none' ? '' : none ? words : words && `automatic: ${words}`, hint: bounds(shape), title: name.replaceAll('_', ' '),
    describes: schema.description ?? '', example: written(schema.examples?.[0]) }
}

/** What is sent for what was typed. Text that is no number stays text: the server says what is wrong with it. */
export function sent(schema: Schema, text: string): unknown {
  const all = ways(schema), is = (type: string) => all.some((one) => one.type === type)
  if (text === '' && is('null')) return null
  const words = all.flatMap((one) => [...(one.enum ?? []), ...('const' in one ? [one.const] : [])])
  if (words.includes(text)) return text
  if (all.some((one) => one.format === 'image')) return { image: text }
  if (all.some((one) => one.format === 'nets')) return { nets: text.split(',') }
  if (is('boolean') && (text === 'yes' || text === 'no')) return text === 'yes'
  const rows = all.find((one) => one.type === 'array')
  if (rows && (text.includes(',') || (!is('string') && !is('number') && !is('integer')))) {
    const parts = text.split(',').map((one) => one.trim()).filter((one) => one !== '')
    return parts.map((one, k) => sent(rows.prefixItems?.[k] ?? rows.items ?? {}, one))
  }
  if ((is('number') || is('integer')) && text.trim() !== '' && Number.isFinite(Number(text)))
    return Math.abs(Number(text)) > Number.MAX_SAFE_INTEGER ? text : Number(text)
  return text
}

/** Nouns that a page can say, by their format. */
const SAYABLE = new Set(['net', 'nets', 'image', 'images', 'data', 'index', 'unit', 'target'])

/** Why a method cannot be asked on a page; empty where it can. */
export function elsewhere(method: Method): string {
  const noun = Object.values(method.nouns).find((one) => !SAYABLE.has(one.format))
  if (noun) {
    const what = noun.help.split(':')[0] || noun.written, shell = `pellucid ${method.name} ${noun.sample}`
    return `It asks about a ${what}, which this page cannot open: ask in Python, or on the command line with ${shell}`
  }
  const option = (method.options.required ?? []).find((name) => shaped(method.options.properties[name] ?? {}).as === 'elsewhere')
  return option ? `It needs ${option.replaceAll('_', ' ')}, given in Python or on the command line.` : ''
}

/** What the server would have to be begun with; empty where nothing is missing. */
export function missing(method: Method, here: State): string {
  for (const one of Object.values(method.nouns)) {
    if (one.format === 'index' && !here.indexes?.length)
      return 'It asks about an index of many pictures: begin the server with one, pellucid serve --index photos.index'
    if (one.format === 'index' && one.many && here.indexes!.length < 2)
      return 'It compares several states of one network, and one index is open: begin the server with an index of each, pellucid serve --index first.index --index last.index'
    if (one.format === 'data' && !here.folders?.length)
      return 'It asks about pictures with classes: begin the server with a folder of them, pellucid serve photos/'
  }
  return ''
}

/** The option or the noun that an error speaks of: by its name, or by what was typed for it. */
export function named(error: string, texts: Record<string, string>, names: string[]): string {
  const escaped = (name: string) => name.replace(/[^\w]/g, '\\$&')
  return names.find((name) => new RegExp(`(^|[\\s:(])${escaped(name)}(=|:| is )`).test(error))
    ?? names.find((name) => texts[name] && (error.includes(`'${texts[name]}'`) || error.includes(`"${texts[name]}"`)))
    ?? ''
}
