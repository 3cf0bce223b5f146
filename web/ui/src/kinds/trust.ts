// What a synthetic picture is worth, in words, worst first.
import { number, percent } from '../words'

const short = (value: number) => (Math.abs(value) < 1 ? value.toFixed(2) : value.toFixed(1))

/** The least that is left of the activation, and of what. */
function left(trust: any): [number, string] | null {
  const all = ([[trust.shift_retention, 'when shifted by 4 pixels'], [trust.perturb_retention, 'under small touches']] as [number | null, string][])
    .filter((one): one is [number, string] => one[0] !== null)
  return all.sort((a, b) => a[0] - b[0])[0] ?? null
}

export function alarm(trust: any): string {
  const [least, when] = left(trust) ?? [0, '']
  return `adversarial noise: keeps ${least <= 0 ? 'nothing' : percent(least)} ${when}`.trim()
}

/** Whether the activation collapses when the picture is touched; `adversarial` is derived by the server where it says so. */
export const adversarial = (trust: any): boolean => trust.adversarial ?? [trust.shift_retention, trust.perturb_retention].some((one) => one !== null && one < 0.5)

export function worth(trust: any): string[] {
  const parts: string[] = []
  const over = trust.activation !== null && trust.best_real !== null && trust.best_real > trust.offset
    ? (trust.activation - trust.offset) / (trust.best_real - trust.offset) : null
  if (over !== null) parts.push(`${short(over)} × the best of ${trust.real_images} photo${trust.real_images === 1 ? '' : 's'}`)
  else if (trust.activation !== null) parts.push(`activation ${number(trust.activation)}`)
  const least = left(trust)
  if (trust.robustness !== null) parts.push(`robust ${short(trust.robustness)} ×`)
  else if (least && !adversarial(trust)) parts.push(`keeps ${percent(least[0])} ${least[1]}`)
  if (trust.rank !== null) parts.push(`rank ${trust.rank} of ${trust.channels}`)
  if (trust.agreement !== null) parts.push(`seeds agree ${short(trust.agreement)}`)
  return parts
}
