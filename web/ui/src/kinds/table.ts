// Columns of a table as the server sends them, and the file that a spreadsheet opens.
import type { Numbers } from '../wire'

export type Cell = number | string | boolean | null
export interface TableOf {
  columns: Record<string, Cell[] | Numbers>; column_help: Record<string, string>; findings: string[]
  plot_columns: string[]; highlighted: number[] | Numbers; errors?: Record<string, string>; meta: any
}

export const cellsOf = (column: Cell[] | Numbers): Cell[] =>
  Array.isArray(column) ? column : Array.from(column.values, (one) => (Number.isFinite(one) ? one : null))

/** A cell that a spreadsheet would take for a formula gets an apostrophe. */
const quoted = (cell: Cell): string => {
  const text = cell === null ? '' : typeof cell === 'string' && /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : String(cell)
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

export const csv = (names: string[], rows: Cell[][]): string =>
  [names.map((one) => quoted(one)), ...rows.map((row) => row.map(quoted))].map((row) => row.join(',')).join('\r\n')
