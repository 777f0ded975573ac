/** Taking a file: dropped anywhere on the page, chosen, or the sample. */
import { byId } from './dom.js'

export function acceptFiles({ zone, onFile }: { zone: HTMLElement; onFile: (file: File) => void }): void {
  const input = byId<HTMLInputElement>('file')
  byId('choose').onclick = () => input.click()
  input.onchange = () => {
    const file = input.files?.[0]
    // The same file may be chosen again, mended.
    if (file) onFile(new File([file], file.name, { type: file.type }))
    input.value = ''
  }
  byId('sample').onclick = async () => {
    const response = await fetch('/customers.csv')
    onFile(new File([await response.blob()], 'customers.csv', { type: 'text/csv' }))
  }

  // A file dropped beside the zone would replace the page.
  let depth = 0
  const mark = (change: number) => {
    depth = Math.max(0, depth + change)
    zone.classList.toggle('over', depth > 0)
  }
  document.addEventListener('dragenter', (event) => {
    event.preventDefault()
    mark(1)
  })
  document.addEventListener('dragleave', () => mark(-1))
  document.addEventListener('dragover', (event) => event.preventDefault())
  document.addEventListener('drop', (event) => {
    event.preventDefault()
    mark(-depth)
    const file = event.dataTransfer?.files[0]
    if (file) onFile(file)
  })
}
