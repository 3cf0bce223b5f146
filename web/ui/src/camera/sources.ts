// Where frames come from: pictures that move a little, a video file, a camera. Each draws its newest frame when asked.
import { bitmap } from '../api'

export type Kind = 'pictures' | 'video' | 'camera'
export type Fit = 'crop' | 'stretch'
export interface Source {
  kind: Kind
  /** its newest frame fills the canvas */
  draw(pen: CanvasRenderingContext2D, fit: Fit): void
  /** until there may be another one */
  next(): Promise<unknown>
  moving: boolean
  close(): void
}

const pause = (milliseconds: number) => new Promise((go) => setTimeout(go, milliseconds))
const painted = () => Promise.race([new Promise(requestAnimationFrame), pause(250)])

/** The part of a picture that fills the canvas: all of it, or the middle with the same proportions. */
function cut(width: number, height: number, pen: CanvasRenderingContext2D, fit: Fit): [number, number, number, number] {
  if (fit === 'stretch') return [0, 0, width, height]
  const ratio = Math.min(width / pen.canvas.width, height / pen.canvas.height)
  const w = pen.canvas.width * ratio, h = pen.canvas.height * ratio
  return [(width - w) / 2, (height - h) / 2, w, h]
}

function put(pen: CanvasRenderingContext2D, what: CanvasImageSource, [x, y, w, h]: [number, number, number, number]) {
  pen.imageSmoothingEnabled = true
  pen.imageSmoothingQuality = 'high'
  pen.drawImage(what, x, y, w, h, 0, 0, pen.canvas.width, pen.canvas.height)
}

/** A picture; a moving one is looked at from a little nearer, here and there. */
export async function picture(id: string, moving: boolean): Promise<Source> {
  const found = await bitmap(id, 800)
  let t = 0, last = performance.now()
  return {
    kind: 'pictures', moving, next: painted, close: () => found.close(),
    draw(pen, fit) {
      const [x, y, w, h] = cut(found.width, found.height, pen, fit)
      const time = performance.now()
      if (moving) t += Math.min(time - last, 250) / 1000  // it goes on where it rested
      last = time
      const near = 1 - 0.09 * (1 - Math.cos(t / 2.2)), dx = (w - w * near) / 2, dy = (h - h * near) / 2
      put(pen, found, [x + dx * (1 + Math.sin(t / 1.7)), y + dy * (1 + Math.sin(t / 1.3)), w * near, h * near])
    },
  }
}

async function played(video: HTMLVideoElement, kind: Kind, close: () => void): Promise<Source> {
  video.muted = true
  video.playsInline = true
  await video.play()
  return {
    kind, moving: true, close: () => { video.pause(); close() },
    next: () => Promise.race([new Promise((go) => video.requestVideoFrameCallback ? video.requestVideoFrameCallback(go) : setTimeout(go, 30)), pause(250)]),
    draw: (pen, fit) => put(pen, video, cut(video.videoWidth, video.videoHeight, pen, fit)),
  }
}

export async function video(file: File): Promise<Source> {
  const one = document.createElement('video'), url = URL.createObjectURL(file)
  one.loop = true
  one.src = url
  try {
    return await played(one, 'video', () => URL.revokeObjectURL(url))
  } catch (why) {
    URL.revokeObjectURL(url)
    throw new Error(`${file.name}: this browser cannot play it`, { cause: why })
  }
}

const REASONS: Record<string, string> = {
  NotAllowedError: 'The camera was refused: allow it beside the address of this page, and ask again.',
  SecurityError: 'The camera was refused: this page may not use it.',
  NotFoundError: 'There is no camera here.',
  OverconstrainedError: 'There is no camera here that fits.',
  NotReadableError: 'The camera is used by another program: close that, and ask again.',
  AbortError: 'The camera did not begin: ask again.',
}

export async function camera(): Promise<Source> {
  if (!navigator.mediaDevices?.getUserMedia)
    throw new Error('Browsers show a camera to pages on https or on this machine only: open the explorer as localhost, through a tunnel.')
  let stream: MediaStream
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: false,
      video: { facingMode: { ideal: 'environment' }, width: { ideal: 640 }, height: { ideal: 480 } } })
  } catch (why) {
    throw new Error(REASONS[(why as Error).name] ?? `The camera did not begin: ${(why as Error).message}`, { cause: why })
  }
  const one = document.createElement('video')
  one.srcObject = stream
  return played(one, 'camera', () => { for (const track of stream.getTracks()) track.stop() })
}
