// Results as the server sends them: a safetensors file whose metadata holds the JSON of the result.

export interface Numbers { values: Float32Array | Int32Array | Uint8Array; shape: number[]; min?: number; max?: number }

function halves(words: Uint16Array, scale: number): Float32Array {
  const found = new Float32Array(words.length)
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!, exponent = (word >> 10) & 31, part = word & 1023
    const size = exponent === 31 ? (part ? NaN : Infinity)
      : exponent ? (1 + part / 1024) * 2 ** (exponent - 15) : part * 2 ** -24
    found[i] = (word & 32768 ? -size : size) * scale
  }
  return found
}

export function parsed(bytes: ArrayBuffer): any {
  const length = Number(new DataView(bytes).getBigUint64(0, true))
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 8, length)))
  const start = 8 + length
  const tensor = (said: any): Numbers | null => {
    if (said.$ === null) return null
    const { dtype, data_offsets: [from, to] } = head[said.$]
    const raw = bytes.slice(start + from, start + to)
    const values = dtype === 'F16' ? halves(new Uint16Array(raw), said.scale ?? 1)
      : dtype === 'F32' ? new Float32Array(raw) : dtype === 'I32' ? new Int32Array(raw) : new Uint8Array(raw)
    return { values, shape: said.shape, min: said.min, max: said.max }
  }
  const walked = (said: any): any => {
    if (Array.isArray(said)) return said.map(walked)
    if (said === null || typeof said !== 'object') return said
    if ('$' in said) return tensor(said)
    return Object.fromEntries(Object.entries(said).map(([key, one]) => [key, walked(one)]))
  }
  return walked(JSON.parse(head.__metadata__.about))
}
