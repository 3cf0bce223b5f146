// The keys of the stage: one list for the keyboard, the buttons and the help.

export interface Key {
  /** as `KeyboardEvent.key` says them */
  keys: string[]
  /** as they are written, where that differs */
  written?: string
  name: string
  group: 'Move' | 'Frames' | 'Units' | 'Back-projection' | 'Stage'
  act: () => void
  /** what it is set to now */
  now?: () => string
}

const WRITTEN: Record<string, string> = {
  ArrowLeft: '←', ArrowRight: '→', ArrowUp: '↑', ArrowDown: '↓', Escape: 'Esc',
}
export const written = (key: Key): string[] => (key.written ? key.written.split(' ') : key.keys.map((one) => WRITTEN[one] ?? one))

/** Whether a key of the list was pressed, where nothing else listens to it; it is done then. */
export function pressed(list: Key[], event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return false
  const target = event.target as HTMLElement
  if (target.closest('input, select, textarea')) return false
  const key = event.shiftKey && event.key.startsWith('Arrow') ? `Shift${event.key}` : event.key
  const found = list.find((one) => one.keys.includes(key))
  if (!found) return false
  event.preventDefault()
  event.stopPropagation()
  found.act()
  return true
}
