import { readdir } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { removeFolder, startDemo } from './demo-process.js'

it('stops on Ctrl-C: no server, no database, no folder left', async () => {
  const demo = await startDemo()
  try {
    expect(new URL(demo.url).hostname).toBe('127.0.0.1')
    expect((await fetch(demo.url)).status).toBe(200)
    const { signal, stderr } = await demo.interrupt()
    expect(signal).toBe('SIGINT')
    expect(stderr).toBe('')
    await expect(fetch(demo.url)).rejects.toThrow('fetch failed')
    expect((await readdir(demo.folder)).filter((name) => name.startsWith('embedded-postgres'))).toEqual([])
  } finally {
    await removeFolder(demo.folder)
  }
})
