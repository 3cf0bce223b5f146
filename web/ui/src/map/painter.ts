// Points and small pictures, by WebGL2, or on a plain canvas where a browser has none.
import type { MapData } from './data'

export interface Frame {
  /** pixels: where the box begins, and how wide it is */
  x: number; y: number; scale: number
  /** 0 on the map, 1 in the grid */
  mixed: number
  /** how many points are drawn; the first are a fair sample of all */
  count: number
  /** pixels: of a point, of a small picture, of a small picture in the grid */
  small: number; large: number; side: number
  paper: [number, number, number]
}
export interface Painter {
  load(data: MapData): void
  /** red, green, blue, and 0 as usual, 1 pale, 2 marked; four for each point */
  look(colors: Uint8Array): void
  /** which points have small pictures at which spots */
  pictured(ids: number[], spots: number[]): void
  /** a sheet of small pictures, one of so many: as large as it is, and in halves, quarters, eighths */
  sheet(layer: number, sheet: ImageBitmap[], of: number): void
  draw(frame: Frame, width: number, height: number): void
  end(): void
}
/** Small pictures of one sheet: side, how many in a row, rows; and sheets that are held, if no other number is said. */
export const SIDE = 64, ACROSS = 20, DOWN = 5, EACH = ACROSS * DOWN, SHEETS = 40

const WHERE = `uniform vec2 offset, port; uniform float scale, mixed;
vec4 placed(vec2 place, vec2 cell, vec2 by, float depth) {
  return vec4(((mix(place, cell, mixed) * scale + offset + by) / port) * vec2(2, -2) + vec2(-1, 1), depth, 1);
}`
const POINT = `#version 300 es
layout(location=0) in vec2 place; layout(location=1) in vec2 cell; layout(location=2) in vec4 look;
uniform float size; uniform vec3 paper; out vec3 color; ${WHERE}
void main() {
  float how = look.a * 255.; bool pale = how > .5 && how < 1.5;
  gl_Position = placed(place, cell, vec2(0), pale ? .5 : how > 1.5 ? -.5 : 0.);
  gl_PointSize = how > 1.5 ? size * mix(1.5, 1., mixed) + 1. : size;
  color = pale ? mix(look.rgb, paper, .82) : look.rgb;
}`
const DOT = `#version 300 es
precision mediump float; in vec3 color; uniform float round; out vec4 drawn;
void main() { if (round > .5) { vec2 far = gl_PointCoord - .5; if (dot(far, far) > .25) discard; } drawn = vec4(color, 1); }`
const PICTURE = `#version 300 es
layout(location=0) in vec2 corner; layout(location=1) in vec2 place; layout(location=2) in vec2 cell; layout(location=3) in vec4 look;
layout(location=4) in float spot; uniform float size; out vec2 at; flat out vec3 color; flat out float how, layer; flat out vec2 first; ${WHERE}
void main() {
  how = look.a * 255.; bool marked = how > 1.5;
  gl_Position = placed(place, cell, corner * size * (marked ? mix(1.25, 1., mixed) : 1.), how > .5 && how < 1.5 ? .4 : marked ? -.6 : -.1);
  at = corner + .5; color = look.rgb; layer = floor(spot / ${EACH}.); float k = mod(spot, ${EACH}.);
  first = vec2(mod(k, ${ACROSS}.), floor(k / ${ACROSS}.));
}`
const SHOWN = `#version 300 es
precision highp float; precision highp sampler2DArray; in vec2 at; flat in vec3 color; flat in float how, layer; flat in vec2 first;
uniform sampler2DArray sheets; uniform vec3 paper; uniform float edge, size; out vec4 drawn;
void main() {
  float rim = edge / size; vec2 inner = (at - rim) / (1. - 2. * rim); vec3 shown = color;
  if (min(inner.x, inner.y) >= 0. && max(inner.x, inner.y) <= 1.)
    shown = texture(sheets, vec3((first + clamp(inner, .01, .99)) / vec2(${ACROSS}., ${DOWN}.), layer)).rgb;
  drawn = vec4(how > .5 && how < 1.5 ? mix(shown, paper, .8) : shown, 1);
}`

class Drawn implements Painter {
  private points: Program
  private pictures: Program
  private many = 0
  private data: MapData | null = null
  private colors: Uint8Array = new Uint8Array()
  private made: WebGLVertexArrayObject[] = []
  private buffers: Record<string, WebGLBuffer> = {}
  private drawnIds: number[] = []
  private texture: WebGLTexture

  constructor(private gl: WebGL2RenderingContext) {
    this.points = new Program(gl, POINT, DOT)
    this.pictures = new Program(gl, PICTURE, SHOWN)
    gl.enable(gl.DEPTH_TEST)
    gl.depthFunc(gl.LEQUAL)
    this.made = [gl.createVertexArray(), gl.createVertexArray()]
    for (const name of ['place', 'cell', 'look', 'corner', 'some']) this.buffers[name] = gl.createBuffer()
    this.texture = gl.createTexture()
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, this.texture)
    gl.texParameteri(gl.TEXTURE_2D_ARRAY, gl.TEXTURE_MIN_FILTER, gl.LINEAR_MIPMAP_LINEAR)
    gl.texParameteri(gl.TEXTURE_2D_ARRAY, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE)
    gl.texParameteri(gl.TEXTURE_2D_ARRAY, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE)
  }

  load(data: MapData) {
    const { gl } = this
    this.data = data
    this.many = 0
    gl.bindVertexArray(this.made[0]!)
    this.put('place', data.places, 0, 2, gl.FLOAT)
    this.put('cell', data.grid.length ? data.grid : data.places, 1, 2, gl.FLOAT)
    this.look(new Uint8Array(4 * data.count))
  }
  private put(name: string, values: ArrayBufferView, slot: number, size: number, kind: number) {
    const { gl } = this
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[name]!)
    gl.bufferData(gl.ARRAY_BUFFER, values, gl.DYNAMIC_DRAW)
    gl.enableVertexAttribArray(slot)
    gl.vertexAttribPointer(slot, size, kind, kind === gl.UNSIGNED_BYTE, 0, 0)
  }
  look(colors: Uint8Array) {
    this.colors = colors
    this.gl.bindVertexArray(this.made[0]!)
    this.put('look', colors, 2, 4, this.gl.UNSIGNED_BYTE)
    if (this.drawnIds.length) this.pictured(this.drawnIds, this.spots)
  }
  private spots: number[] = []
  pictured(ids: number[], spots: number[]) {
    const { gl, data } = this
    this.drawnIds = ids
    this.spots = spots
    this.many = ids.length
    if (!data || !ids.length) return
    const all = new ArrayBuffer(24 * ids.length), floats = new Float32Array(all), bytes = new Uint8Array(all)
    const grid = data.grid.length ? data.grid : data.places
    ids.forEach((i, k) => {
      floats.set([data.places[2 * i]!, data.places[2 * i + 1]!, grid[2 * i]!, grid[2 * i + 1]!], 6 * k)
      bytes.set(this.colors.subarray(4 * i, 4 * i + 4), 24 * k + 16)
      floats[6 * k + 5] = spots[k]!
    })
    gl.bindVertexArray(this.made[1]!)
    this.put('corner', new Float32Array([-0.5, -0.5, 0.5, -0.5, -0.5, 0.5, 0.5, 0.5]), 0, 2, gl.FLOAT)
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers['some']!)
    gl.bufferData(gl.ARRAY_BUFFER, all, gl.DYNAMIC_DRAW)
    for (const [slot, size, kind, from] of [[1, 2, gl.FLOAT, 0], [2, 2, gl.FLOAT, 8], [3, 4, gl.UNSIGNED_BYTE, 16], [4, 1, gl.FLOAT, 20]] as const) {
      gl.enableVertexAttribArray(slot)
      gl.vertexAttribPointer(slot, size, kind, kind === gl.UNSIGNED_BYTE, 24, from)
      gl.vertexAttribDivisor(slot, 1)
    }
  }
  private held = false
  sheet(layer: number, sheet: ImageBitmap[], of: number) {
    const { gl } = this
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, this.texture)
    if (!this.held) gl.texStorage3D(gl.TEXTURE_2D_ARRAY, sheet.length, gl.RGBA8, SIDE * ACROSS, SIDE * DOWN, of)
    this.held = true
    sheet.forEach((one, level) => {
      gl.texSubImage3D(gl.TEXTURE_2D_ARRAY, level, 0, 0, layer, one.width, one.height, 1, gl.RGBA, gl.UNSIGNED_BYTE, one)
      one.close()
    })
  }
  draw(frame: Frame, width: number, height: number) {
    const { gl } = this
    gl.viewport(0, 0, width, height)
    gl.clearColor(...frame.paper, 1)
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT)
    if (!this.data) return
    const size = frame.small + (Math.max(frame.side, frame.small) - frame.small) * (this.data.grid.length ? frame.mixed : 0)
    this.points.use(frame, width, height, { size, round: size > 3 && frame.mixed < 0.5 ? 1 : 0 })
    gl.bindVertexArray(this.made[0]!)
    gl.drawArrays(gl.POINTS, 0, Math.min(frame.count, this.data.count))
    if (!this.many || !this.held) return
    const large = frame.large + (frame.side - frame.large) * frame.mixed
    this.pictures.use(frame, width, height, { size: large, edge: frame.mixed > 0.5 ? Math.min(1, large / 30) : Math.min(2, large / 14) })
    gl.bindVertexArray(this.made[1]!)
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, this.many)
  }
  end() { this.gl.getExtension('WEBGL_lose_context')?.loseContext() }
}

class Program {
  private program: WebGLProgram
  private spots = new Map<string, WebGLUniformLocation | null>()
  constructor(private gl: WebGL2RenderingContext, vertex: string, fragment: string) {
    this.program = gl.createProgram()
    for (const [kind, text] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]] as const) {
      const shader = gl.createShader(kind)!
      gl.shaderSource(shader, text)
      gl.compileShader(shader)
      if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader) ?? 'shader')
      gl.attachShader(this.program, shader)
    }
    gl.linkProgram(this.program)
  }
  private at(name: string) {
    if (!this.spots.has(name)) this.spots.set(name, this.gl.getUniformLocation(this.program, name))
    return this.spots.get(name)!
  }
  use(frame: Frame, width: number, height: number, more: Record<string, number>) {
    const { gl } = this
    gl.useProgram(this.program)
    gl.uniform2f(this.at('offset'), frame.x, frame.y)
    gl.uniform2f(this.at('port'), width, height)
    gl.uniform1f(this.at('scale'), frame.scale)
    gl.uniform1f(this.at('mixed'), frame.mixed)
    gl.uniform3f(this.at('paper'), ...frame.paper)
    for (const [name, value] of Object.entries(more)) gl.uniform1f(this.at(name), value)
  }
}

/** The same without WebGL: pixels of points are written one by one. */
class Flat implements Painter {
  private data: MapData | null = null
  private colors: Uint8Array = new Uint8Array()
  private ids: number[] = []
  private spots: number[] = []
  private sheets = new Map<number, ImageBitmap>()
  constructor(private pen: CanvasRenderingContext2D) {}
  load(data: MapData) { this.data = data; this.ids = [] }
  look(colors: Uint8Array) { this.colors = colors }
  pictured(ids: number[], spots: number[]) { this.ids = ids; this.spots = spots }
  sheet(layer: number, [sheet, ...smaller]: ImageBitmap[]) {
    this.sheets.get(layer)?.close()
    this.sheets.set(layer, sheet!)
    for (const one of smaller) one.close()
  }
  end() {}
  draw(frame: Frame, width: number, height: number) {
    const { data, pen } = this, paper = frame.paper.map((one) => Math.round(255 * one))
    const found = new ImageData(width, height), pixels = new Uint32Array(found.data.buffer)
    const packed = (r: number, g: number, b: number) => (255 << 24) | (b << 16) | (g << 8) | r
    pixels.fill(packed(paper[0]!, paper[1]!, paper[2]!))
    if (!data) return pen.putImageData(found, 0, 0)
    const grid = data.grid.length ? data.grid : data.places
    const at = (i: number, axis: 0 | 1) => ((1 - frame.mixed) * data.places[2 * i + axis]! + frame.mixed * grid[2 * i + axis]!) * frame.scale + (axis ? frame.y : frame.x)
    const half = Math.max(Math.round((frame.small + (Math.max(frame.side, frame.small) - frame.small) * frame.mixed) / 2), 1)
    for (const pass of [true, false])  // what is not looked for lies below
      for (let i = 0; i < Math.min(frame.count, data.count); i++) {
        const how = this.colors[4 * i + 3]!
        if ((how === 1) !== pass) continue
        const [r, g, b] = [0, 1, 2].map((c) => (how === 1 ? 0.18 * this.colors[4 * i + c]! + 0.82 * paper[c]! : this.colors[4 * i + c]!)) as [number, number, number]
        const value = packed(r, g, b), x = Math.round(at(i, 0)), y = Math.round(at(i, 1)), reach = how === 2 ? half + 1 : half
        for (let v = Math.max(y - reach, 0); v < Math.min(y + reach, height); v++)
          for (let u = Math.max(x - reach, 0); u < Math.min(x + reach, width); u++) pixels[v * width + u] = value
      }
    pen.putImageData(found, 0, 0)
    const side = frame.large + (frame.side - frame.large) * frame.mixed
    this.ids.forEach((i, k) => {
      const sheet = this.sheets.get(Math.floor(this.spots[k]! / EACH)), spot = this.spots[k]! % EACH
      if (sheet) pen.drawImage(sheet, SIDE * (spot % ACROSS), SIDE * Math.floor(spot / ACROSS), SIDE, SIDE, at(i, 0) - side / 2, at(i, 1) - side / 2, side, side)
    })
  }
}

/** How this browser draws. */
export function painter(canvas: HTMLCanvasElement): Painter {
  const gl = canvas.getContext('webgl2', { antialias: false, alpha: false, powerPreference: 'high-performance' })
  if (gl) {
    try { return new Drawn(gl) } catch (why) { console.info(why) }
    const other = canvas.cloneNode() as HTMLCanvasElement
    canvas.replaceWith(other)
    canvas = other
  }
  return new Flat(canvas.getContext('2d')!)
}
