// The state of the stage as it stands in the address, and the keys that change it.
import { route, set } from '../route.svelte'
import type { Look } from './back'
import type { Stage, StageLayer } from './frame'
import type { Order } from './mosaic'
import type { Fit, Kind } from './sources'

export interface Stand {
  at: number; layer: StageLayer
  /** -1 until one is chosen: the strongest then */
  unit: number
  back: string; look: Look
  /** where the back-projection is held */
  held: { layer: string; unit: number } | null
  backward: boolean; from: Kind; fit: Fit; frozen: boolean; gamma: number; own: boolean; order: Order
  zoom: '' | 'unit' | 'back'
  guesses: boolean; patches: boolean; preferred: boolean; help: boolean; keys: boolean
}

const one = <T extends string>(text: string | null, of: readonly T[], usual: T): T => (of.includes(text as T) ? (text as T) : usual)

export const GAMMAS = [1, 0.6, 0.35, 1.7]

export function stand(stage: Stage, asked: URLSearchParams): Stand {
  const found = stage.layers.findIndex((layer) => layer.name === asked.get('layer'))
  const at = found < 0 ? Math.floor((stage.layers.length - 1) / 3) : found, layer = stage.layers[at]!
  const number = Number(asked.get('unit') ?? -1)
  const [, name, k] = /^(.*):(\d+)$/.exec(asked.get('held') ?? '') ?? []
  const holder = stage.layers.find((each) => each.name === name)
  const back = asked.get('back')
  return {
    at, layer, unit: Number.isInteger(number) && number >= 0 && number < layer.units ? number : -1,
    back: back === null ? (stage.backs[1] ?? stage.backs[0])?.name ?? 'off' : one(back, ['off', ...stage.backs.map((each) => each.name)], 'off'),
    look: one(asked.get('look'), ['raw', 'gray', 'norm', 'blur'], 'raw'),
    held: holder && Number(k) < holder.units ? { layer: holder.name, unit: Number(k) } : null,
    backward: asked.get('mosaic') === 'backward', from: one(asked.get('from'), ['pictures', 'video', 'camera'], 'pictures'),
    fit: one(asked.get('fit'), ['crop', 'stretch'], 'crop'), frozen: asked.get('freeze') === '1',
    gamma: GAMMAS.find((each) => String(each) === asked.get('gamma')) ?? 1, own: asked.get('scale') === 'own',
    order: one(asked.get('sort'), ['number', 'strength', 'mean'], 'number'), zoom: one(asked.get('zoom'), ['', 'unit', 'back'], ''),
    guesses: asked.get('guesses') !== '0', patches: asked.get('patches') !== '0', preferred: asked.get('preferred') === '1',
    help: asked.get('help') === '1', keys: asked.get('keys') !== 'off',
  }
}

/** The next of several values, behind the last the first. */
export const next = <T>(of: readonly T[], now: T): T => of[(of.indexOf(now) + 1) % of.length]!

/** What is usual does not stand in the address. */
export const turn = (key: string, on: boolean, value = '1') => set({ [key]: on ? value : null })

/** All of it as it was first, but for what is looked at. */
export function reset(): void {
  set(Object.fromEntries([...route.now.asked.keys()].map((key) => [key, key === 'from' ? route.now.asked.get(key) : null])))
}
