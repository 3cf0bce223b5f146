// Long work as the server lists it.
import { dropped, resumed, stopped, type Job } from '../api'

export type Long = Job
export type Act = 'stop' | 'resume' | 'forget'

export const acts: Record<Act, (job: string) => Promise<Job>> = { stop: stopped, resume: resumed, forget: dropped }
