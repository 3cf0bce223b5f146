// Pictures that were dropped on this page, which every picker offers until it is loaded again.
import { upload, type Picture } from '../api'

export const uploads = $state<{ all: Picture[] }>({ all: [] })

/** Sends files; (the ids of those that could be read, a line for each that could not). */
export async function taken(files: Iterable<File>): Promise<[string[], string[]]> {
  const ids: string[] = [], wrong: string[] = []
  for (const file of [...files].slice(0, 32)) {
    try {
      const found = await upload(file)
      uploads.all = [found, ...uploads.all.filter((one) => one.id !== found.id)]
      ids.push(found.id)
    } catch (why) { wrong.push(`${file.name}: ${(why as Error).message}`) }
  }
  return [ids, wrong]
}
