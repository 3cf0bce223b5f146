/** A share of one as people write it. */
export function percent(share: number): string {
  if (share > 0 && share < 0.0005) return '<0.1 %'
  return share < 0.9995 || share === 1 ? `${(100 * share).toFixed(1)} %` : '>99.9 %'
}

/** Three digits. */
export const number = (value: number): string =>
  (Math.abs(value) >= 1e-3 && Math.abs(value) < 1e4) || !value ? String(Number(value.toPrecision(3))) : value.toExponential(1)

/** Four digits, with a true minus sign. Maps come with three. */
export function figure(value: number | null | undefined, digits = 4): string {
  if (value === null || value === undefined || Number.isNaN(value)) return 'no number'
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞'
  const size = Math.abs(value)
  const said = !size ? '0' : size >= 1e-3 && size < 1e5 ? String(Number(size.toPrecision(digits))) : size.toExponential(2)
  return value < 0 ? `−${said}` : said
}
