/** Spreadsheets: a sheet of an .xlsx file becomes the CSV that the API takes. */
import readSheets from 'read-excel-file/universal'
import { button, element, screenHeading } from './dom.js'

export function isSpreadsheet({ name }: File): boolean {
  return /\.xlsx$/i.test(name)
}

/** The sheet as a CSV file; where there are several with rows, the one that is chosen on the panel. */
export async function toCsvFile(file: File, panel: HTMLElement): Promise<File> {
  const read = await readSheets(file).catch(() => {
    throw new Error(
      `${file.name} cannot be read as a spreadsheet. In your spreadsheet choose “Save as” or “Download”, take the type ` +
        '“CSV UTF-8”, and drop that file.',
    )
  })
  const sheets = read.filter(({ data }) => data.length > 0)
  const [only] = sheets
  if (!only) throw new Error(`${file.name} has no sheet with rows.`)
  const { sheet, data } = sheets.length === 1 ? only : await choose(file, sheets, panel)
  const csv = data.map((row) => row.map(toCell).join(',')).join('\r\n')
  const name = file.name.replace(/\.xlsx$/i, sheets.length === 1 ? '.csv' : ` ${sheet}.csv`)
  return new File([csv], name, { type: 'text/csv' })
}

type Sheet = Awaited<ReturnType<typeof readSheets>>[number]

function choose(file: File, sheets: readonly Sheet[], panel: HTMLElement): Promise<Sheet> {
  return new Promise((resolve) => {
    panel.replaceChildren(
      element(
        'div',
        { className: 'card' },
        screenHeading(`Which sheet of ${file.name}?`),
        element(
          'div',
          { className: 'actions' },
          ...sheets.map((one) => button(`${one.sheet} (${one.data.length - 1} rows)`, () => resolve(one))),
        ),
      ),
    )
  })
}

function toCell(value: unknown): string {
  if (value === null || value === undefined) return ''
  const text = value instanceof Date ? value.toISOString().replace('T00:00:00.000Z', '') : String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
