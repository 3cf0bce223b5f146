/** Copies a text; false where the browser does not allow it. */
export async function copied(text: string): Promise<boolean> {
  try { await navigator.clipboard.writeText(text); return true } catch { /* not asked, or refused: the older way */ }
  const field = document.createElement('textarea')
  field.value = text
  field.className = 'unseen'
  document.body.append(field)
  field.select()
  const done = document.execCommand('copy')
  field.remove()
  return done
}
