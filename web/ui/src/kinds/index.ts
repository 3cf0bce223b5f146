// A renderer for each kind of result. A kind that has none is shown as the server draws it.
import type { Component } from 'svelte'
import type { Answer } from './answer'

export type Renderer = Component<{ result: any; answer: Answer; dark: boolean }>
const files = import.meta.glob<{ default: Renderer }>('./of/*.svelte')

/** The renderer of a kind; undefined where there is none. */
export const renderer = (kind: string): (() => Promise<{ default: Renderer }>) | undefined => files[`./of/${kind}.svelte`]
