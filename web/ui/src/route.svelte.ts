// Where the page is: everything that can be shared stands in the hash. `#/compare/s-panda?m=grad_cam,lrp&op=0.8`

export interface Route {
  page: string
  /** the first part after the page, and all of them */
  of: string; parts: string[]
  asked: URLSearchParams
}

function read(): Route {
  const [path = '', query = ''] = location.hash.replace(/^#\/?/, '').split('?')
  const [page = '', ...parts] = path.split('/').map((part) => { try { return decodeURIComponent(part) } catch { return part } })
  return { page: page || 'start', of: parts[0] ?? '', parts, asked: new URLSearchParams(query) }
}

export const route = $state({ now: read() })
addEventListener('hashchange', () => { route.now = read() })

/** The address of a page: `to('unit', ['i0', 'blocks.4', '17'])`. The network that was chosen stays. */
export const to = (page: string, of: string | string[] = '', asked: Record<string, string> = {}): string => {
  const { net = route.now.asked.get('net'), ...rest } = asked
  const query = new URLSearchParams(net ? { ...rest, net } : rest).toString().replaceAll('%2C', ',')
  const parts = [of].flat().filter((part) => part !== '').map((part) => `/${encodeURIComponent(part)}`).join('')
  return `#/${page}${parts}${query ? `?${query}` : ''}`
}

/** Change a part of what is asked: while a slider moves without an entry in the history. */
export function set(changes: Record<string, string | null>, push = false): void {
  const asked = new URLSearchParams(route.now.asked)
  for (const [key, value] of Object.entries(changes)) value === null ? asked.delete(key) : asked.set(key, value)
  const hash = to(route.now.page, route.now.parts, { ...Object.fromEntries(asked), net: asked.get('net') ?? '' })
  history[push ? 'pushState' : 'replaceState'](null, '', hash)
  route.now = read()
}

/** Go to another page. */
export const go = (hash: string): void => { location.hash = hash }
